/** Every command by its name, from the keyboard alone. */

import { Command as Cmdk } from "cmdk";
import { canRun, keysOf, perform } from "../commands/command";
import { useEditor, usePlugins, useSettings, useUi } from "../editor";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import { Kbd } from "../ui/Kbd";
import css from "./Palette.module.css";
import { SETTING_ROWS, type SettingRow } from "./setting_rows";

export function Palette() {
  const { ui } = useEditor();
  const open = useUi((state) => state.dialog?.kind === "palette");
  return (
    <Dialog open={open} onOpenChange={() => ui.show(null)} title="Commands" bare size="medium">
      {open && <List />}
    </Dialog>
  );
}

function List() {
  const editor = useEditor();
  const plugins = usePlugins((state) => state.commands);
  const close = (then: () => void) => {
    editor.ui.show(null);
    // The dialog gives the focus back first, so that the command may take it.
    requestAnimationFrame(then);
  };
  return (
    <Cmdk label="Commands" className={css.palette} loop>
      <Cmdk.Input autoFocus placeholder="What shall be done?" className={css.input} />
      <Cmdk.List className={css.list}>
        <Cmdk.Empty className={css.none}>No command is called like that.</Cmdk.Empty>
        {editor.commands.map((command) => (
          <Cmdk.Item
            key={command.id}
            value={`${command.title} ${command.group}`}
            disabled={!canRun(editor, command)}
            className={css.item}
            onSelect={() => close(() => perform(editor, command))}
          >
            {command.icon ? <Icon name={command.icon} /> : <span className={css.space} />}
            <span className={css.title}>{command.title}</span>
            {command.on?.(editor) && <Icon name="check" />}
            {keysOf(editor, command) && <Kbd keys={keysOf(editor, command).split(" ")[0] ?? ""} />}
          </Cmdk.Item>
        ))}
        <SettingItems onDone={close} />
        {plugins.map((command) => (
          <Cmdk.Item
            key={command.id}
            value={command.title}
            className={css.item}
            onSelect={() => close(command.run)}
          >
            <span className={css.space} />
            <span className={css.title}>{command.title}</span>
          </Cmdk.Item>
        ))}
      </Cmdk.List>
    </Cmdk>
  );
}

/** Settings that are commands too, and stand with those. */
const AS_COMMANDS = ["theme", "snap", "grid", "minimap", "previews"];

/** Every setting by its name: chosen or turned over at once; what is typed, in its dialog. */
function SettingItems({ onDone }: { onDone: (then: () => void) => void }) {
  const { settings, ui } = useEditor();
  const values = useSettings((state) => state.values);
  const rows = SETTING_ROWS.filter((row) => !AS_COMMANDS.includes(row.name));
  const item = (label: string, row: SettingRow, on: boolean, run: () => void) => (
    <Cmdk.Item
      key={label}
      value={`Setting ${label}`}
      keywords={[row.name, row.about]}
      className={css.item}
      onSelect={() => onDone(run)}
    >
      <Icon name="settings" />
      <span className={css.title}>{label}</span>
      {on && <Icon name="check" />}
    </Cmdk.Item>
  );
  return rows.map((row) => {
    const value = values[row.name];
    if (row.choices) {
      return row.choices.map((choice) =>
        item(`${row.label}: ${choice}`, row, value === choice, () =>
          settings.set({ [row.name]: choice }),
        ),
      );
    }
    if (row.range) {
      return item(`${row.label}: ${value}`, row, false, () =>
        ui.show({ kind: "settings", section: row.name }),
      );
    }
    return item(row.label, row, value === true, () => settings.set({ [row.name]: !value }));
  });
}
