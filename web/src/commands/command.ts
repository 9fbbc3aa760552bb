/** A command: what menus, the palette, shortcuts and the help all read. */

import type { Editor } from "../editor";
import { sentenceOf } from "../server/errors";
import type { IconName } from "../ui/icons";

export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: "File" | "Edit" | "Graph" | "Run" | "View" | "Help";
  /** As `Mod+Shift+k`; more than one with a space between. Mod is Ctrl, on a mac Command. */
  readonly keys?: string;
  readonly icon?: IconName;
  /** It works while a text is edited too. */
  readonly always?: boolean;
  /** Whether it can be done now. */
  readonly when?: (editor: Editor) => boolean;
  /** Given, the command turns something on and off. */
  readonly on?: (editor: Editor) => boolean;
  readonly run: (editor: Editor) => void | Promise<void>;
}

/** The keys of a command, as the user has set them. */
export function keysOf(editor: Editor, command: Command): string {
  return editor.settings.getState().values.keys[command.id] ?? command.keys ?? "";
}

export const canRun = (editor: Editor, command: Command): boolean => command.when?.(editor) ?? true;

/** Run a command; what goes wrong is said. */
export function perform(editor: Editor, command: Command): void {
  const failed = (error: unknown) =>
    editor.ui.toast("error", `'${command.title}' did not work: ${sentenceOf(error)}`);
  try {
    command.run(editor)?.catch(failed);
  } catch (error) {
    failed(error);
  }
}

export function runCommand(editor: Editor, id: string): void {
  const command = editor.commands.find((one) => one.id === id);
  if (command && canRun(editor, command)) perform(editor, command);
}

const MODIFIERS = ["Mod", "Shift", "Alt"];

/** A key press as a shortcut is written: `Mod+Shift+K`. */
export function pressed(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const parts = [
    event.ctrlKey || event.metaKey ? "Mod" : "",
    // Signs such as "?" need Shift on some keyboards only.
    event.shiftKey && (key.length > 1 || /[A-Z0-9]/.test(key)) ? "Shift" : "",
    event.altKey ? "Alt" : "",
    key === " " ? "Space" : key,
  ];
  return parts.filter(Boolean).join("+");
}

/** A shortcut with its parts in one order and letters in upper case. */
export function normalKeys(keys: string): string {
  const parts = keys.split(/\+(?!$)/);
  const key = parts.at(-1) ?? "";
  const held = MODIFIERS.filter((name) => parts.slice(0, -1).includes(name));
  return [...held, key.length === 1 ? key.toUpperCase() : key].join("+");
}

export const matches = (keys: string, press: string): boolean =>
  keys !== "" && keys.split(" ").some((one) => normalKeys(one) === press);
