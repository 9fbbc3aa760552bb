/** All shortcuts; pressing other keys changes one at once, and for good. */

import { Fragment, useState } from "react";
import { type Command, keysOf, matches, normalKeys, pressed } from "../commands/command";
import { type Editor, useEditor, useSettings, useUi } from "../editor";
import { Button, IconButton } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Kbd } from "../ui/Kbd";
import { formatKeys } from "../ui/keys";
import { SearchField } from "../ui/TextField";
import css from "./Panel.module.css";

export function ShortcutsDialog() {
  const { ui, commands, settings } = useEditor();
  const open = useUi((state) => state.dialog?.kind === "shortcuts");
  useSettings((state) => state.values.keys);
  const [typed, setTyped] = useState("");
  const query = typed.trim().toLowerCase();
  const found = commands.filter((one) => `${one.title} ${one.group}`.toLowerCase().includes(query));
  return (
    <Dialog
      open={open}
      onOpenChange={() => ui.show(null)}
      title="Keyboard shortcuts"
      size="medium"
      actions={<Button onClick={() => settings.reset(["keys"])}>Reset all</Button>}
    >
      <SearchField label="Search shortcuts" value={typed} onChange={setTyped} />
      <ul className={css.list} aria-label="Shortcuts">
        {found.map((command) => (
          <Row key={command.id} command={command} />
        ))}
      </ul>
    </Dialog>
  );
}

/** Shortcuts without one of them. */
const withoutKeys = (keys: string, gone: string): string =>
  keys
    .split(" ")
    .filter((one) => normalKeys(one) !== normalKeys(gone))
    .join(" ");

const ONLY_HELD = ["Control", "Shift", "Alt", "Meta"];

/** The keys of all commands once one has others, which another may have to give up. */
function given(editor: Editor, command: Command, next: string) {
  const other = editor.commands.find(
    (one) => one.id !== command.id && matches(keysOf(editor, one), normalKeys(next)),
  );
  const before = editor.settings.getState().values.keys;
  const taken = other ? { [other.id]: withoutKeys(keysOf(editor, other), next) } : {};
  return { keys: { ...before, ...taken, [command.id]: next }, other };
}

function Row({ command }: { command: Command }) {
  const editor = useEditor();
  const changed = useSettings((state) => Object.hasOwn(state.values.keys, command.id));
  const [asking, setAsking] = useState(false);
  const keys = keysOf(editor, command);
  const now = keys ? keys.split(" ").map((one) => formatKeys(one)) : ["none"];
  const set = (next: string) => {
    const { keys: all, other } = given(editor, command, next);
    editor.settings.set({ keys: all });
    editor.ui.say(
      other
        ? `${command.title}: ${next}, taken from '${other.title}'.`
        : `${command.title}: ${next}`,
    );
    setAsking(false);
  };
  /** Its own keys again, taken from whichever command has got them since. */
  const reset = () => {
    let all = editor.settings.getState().values.keys;
    for (const own of (command.keys ?? "").split(" ").filter(Boolean)) {
      const { other } = given(editor, command, own);
      if (other) all = { ...all, [other.id]: withoutKeys(keysOf(editor, other), own) };
    }
    const { [command.id]: _, ...keys } = all;
    editor.settings.set({ keys });
    editor.ui.say(`${command.title}: ${command.keys || "no keys"}, as it was.`);
  };
  return (
    <li className={css.item}>
      <span className={css.grow}>{command.title}</span>
      <button
        type="button"
        data-own-escape={asking || undefined}
        aria-label={
          asking
            ? `Press keys … for ${command.title}`
            : `Change the keys of ${command.title}: ${now.join(" ")}`
        }
        onClick={() => setAsking(!asking)}
        onBlur={() => setAsking(false)}
        onKeyDown={(event) => {
          if (!asking || ONLY_HELD.includes(event.key)) return;
          event.preventDefault();
          event.stopPropagation();
          if (event.key === "Escape") setAsking(false);
          else set(event.key === "Backspace" ? "" : pressed(event.nativeEvent));
        }}
      >
        {asking ? "Press keys …" : keys ? <Keys keys={keys} /> : "none"}
      </button>
      {changed && (
        <IconButton
          small
          icon="undo"
          label={`Reset the keys of ${command.title}`}
          onClick={reset}
        />
      )}
    </li>
  );
}

const Keys = ({ keys }: { keys: string }) =>
  keys.split(" ").map((one, index) => (
    <Fragment key={one}>
      {index > 0 && " "}
      <Kbd keys={one} />
    </Fragment>
  ));
