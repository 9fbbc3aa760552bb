/** Menus, made of commands: each entry has its shortcut beside it. */

import type { Editor } from "../editor";
import type { MenuItem } from "../ui/Menu";
import { canRun, keysOf, perform } from "./command";

/** What a right click was about. */
export type MenuPlace = "node" | "part" | "wire" | "canvas";

const MENUS: Readonly<Record<MenuPlace, readonly string[]>> = {
  node: [
    "run.here",
    "-",
    "edit.copy",
    "edit.cut",
    "edit.duplicate",
    "edit.delete",
    "-",
    "graph.bypass",
    "graph.mute",
    "edit.rename",
    "edit.colour",
    "edit.collapse",
    "edit.defaults",
    "edit.select-before",
    "edit.select-after",
    "edit.pin",
    "graph.comment",
    "graph.pictures",
    "graph.mask",
    "-",
    "graph.frame",
    "graph.group",
    "graph.ungroup",
    "graph.enter",
    "graph.group-name",
    "graph.group-own",
    "graph.layout",
  ],
  part: [
    "edit.copy",
    "edit.cut",
    "edit.duplicate",
    "edit.delete",
    "-",
    "graph.frame-bypass",
    "edit.rename",
    "edit.colour",
    "edit.pin",
    "view.fit",
  ],
  wire: ["edit.delete"],
  canvas: [
    "graph.add",
    "graph.note",
    "edit.paste",
    "edit.paste-wires",
    "-",
    "edit.select-all",
    "edit.undo",
    "edit.redo",
    "-",
    "graph.layout",
    "graph.leave",
    "graph.group-name",
    "view.fit-all",
    "edit.lock",
    "-",
    "run.start",
  ],
};

/** Entries for commands, by id; `-` is a line. What cannot be done now is grey. */
export function entries(ids: readonly string[], editor: Editor): MenuItem[] {
  return ids.flatMap((id): MenuItem[] => {
    if (id === "-") return ["separator"];
    const command = editor.commands.find((one) => one.id === id);
    if (!command) return [];
    const keys = keysOf(editor, command).split(" ")[0];
    return [
      {
        label: command.title,
        ...(keys && { keys }),
        ...(command.icon && { icon: command.icon }),
        ...(command.on && { checked: command.on(editor) }),
        disabled: !canRun(editor, command),
        danger: id === "edit.delete",
        run: () => perform(editor, command),
      },
    ];
  });
}

export const menuFor = (place: MenuPlace, editor: Editor): MenuItem[] =>
  entries(MENUS[place], editor);

const inGroup = (editor: Editor, group: string): MenuItem[] =>
  entries(
    editor.commands
      .filter((one) => one.group === group && !one.id.includes("nudge"))
      .map((one) => one.id),
    editor,
  );

/** The main menu: every command, by group. */
export const mainMenu = (editor: Editor): MenuItem[] =>
  ["File", "Edit", "Graph", "Run", "View", "Help"].map((group) => ({
    label: group,
    submenu: inGroup(editor, group),
  }));
