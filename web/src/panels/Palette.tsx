/** Every command by its name, from the keyboard alone. */

import { Command as Cmdk } from "cmdk";
import { canRun, keysOf, perform } from "../commands/command";
import { useEditor, usePlugins, useUi } from "../editor";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import { Kbd } from "../ui/Kbd";
import css from "./Palette.module.css";

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
