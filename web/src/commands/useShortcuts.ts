/** Shortcuts of the whole page, and the browser's own events for the clipboard. */

import { useEffect } from "react";
import type { Editor } from "../editor";
import { canRun, keysOf, matches, perform, pressed } from "./command";

/** Whether the focus is in a text, where keys mean letters. */
function inText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return (
    target instanceof HTMLInputElement &&
    !["checkbox", "radio", "button", "range", "color"].includes(target.type)
  );
}

/** Something that floats above the page has the keys. */
const covered = (): boolean =>
  document.querySelector("[role=dialog], [role=alertdialog], [role=menu], [role=listbox]") !== null;

/** A control has its own meaning for these. */
const CONTROL = /^(Space|Enter|Arrow(Left|Right|Up|Down))$/;
const onControl = (target: EventTarget | null, press: string): boolean =>
  CONTROL.test(press) &&
  target instanceof HTMLElement &&
  target.matches(
    "button, a, [role=button], [role=tab], [role=slider], [role=spinbutton], [role=treeitem], [role=separator], summary",
  );

export function useShortcuts(editor: Editor): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const press = pressed(event);
      const texting = inText(event.target);
      if (onControl(event.target, press)) return;
      for (const command of editor.commands) {
        if (!matches(keysOf(editor, command), press)) continue;
        if (!command.always && (texting || covered())) continue;
        // These two come as events of their own, which may read the clipboard without asking.
        if (command.id === "edit.paste" || command.id === "edit.paste-wires") {
          pasteWires = command.id === "edit.paste-wires";
          return;
        }
        if (!canRun(editor, command)) continue;
        event.preventDefault();
        perform(editor, command);
        return;
      }
    };
    let pasteWires = false;
    const onPaste = (event: ClipboardEvent) => {
      if (inText(event.target) || covered() || !event.clipboardData) return;
      const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
      const text = event.clipboardData.getData("text/plain");
      if (editor.actions.nodes.paste(text, pasteWires)) event.preventDefault();
      else if (files.length > 0) {
        event.preventDefault();
        void editor.actions.pictures.paste(files);
      }
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener("paste", onPaste);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("paste", onPaste);
    };
  }, [editor]);
}
