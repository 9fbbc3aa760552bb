import { boxAround } from "../canvas/hit";
import { itemsOf } from "../doc/boxes";
import type { Editor } from "../editor";
import { graphOf } from "../store/tabs";
import type { LeftPanel, RightPanel } from "../store/ui";
import type { IconName } from "../ui/icons";
import type { Command } from "./command";
import { hasTab, selected } from "./selection";

const LEFT: readonly [LeftPanel, string, string, IconName][] = [
  ["library", "Nodes", "Alt+1", "node"],
  ["outline", "Outline", "Alt+2", "outline"],
  ["workflows", "Workflows", "Alt+3", "folder"],
];

const RIGHT: readonly [RightPanel, string, string, IconName][] = [
  ["inspector", "Inspector", "Alt+4", "info"],
  ["queue", "Queue", "Alt+5", "queue"],
  ["history", "History", "Alt+6", "history"],
  ["gallery", "Gallery", "Alt+7", "gallery"],
];

const PANELS: readonly Command[] = [
  ...LEFT.map(
    ([panel, name, keys, icon]): Command => ({
      id: `view.${panel}`,
      title: name,
      group: "View",
      keys,
      icon,
      on: ({ ui }) => ui.getState().left === panel,
      run: ({ ui }) => ui.toggleLeft(panel),
    }),
  ),
  ...RIGHT.map(
    ([panel, name, keys, icon]): Command => ({
      id: `view.${panel}`,
      title: name,
      group: "View",
      keys,
      icon,
      on: ({ ui }) => ui.getState().right === panel,
      run: ({ ui }) => ui.toggleRight(panel),
    }),
  ),
];

function lookAt(editor: Editor, all: boolean): void {
  const tab = editor.tabs.current();
  if (!tab) return;
  const items = all || selected(editor).size === 0 ? itemsOf(graphOf(tab)) : selected(editor);
  const box = boxAround(editor, items);
  if (box) editor.canvas.fit(box);
}

const toggle = (
  name: "snap" | "grid" | "minimap" | "previews",
  title: string,
  icon?: IconName,
): Command => ({
  id: `view.${name}`,
  title,
  group: "View",
  ...(icon && { icon }),
  on: ({ settings }) => settings.getState().values[name],
  run: ({ settings }) => settings.set({ [name]: !settings.getState().values[name] }),
});

const THEMES = ["system", "dark", "light"] as const;

export const VIEW_COMMANDS: readonly Command[] = [
  {
    id: "view.palette",
    title: "Command palette",
    group: "View",
    icon: "search",
    keys: "Mod+k",
    always: true,
    run: ({ ui }) => ui.show({ kind: "palette" }),
  },
  {
    id: "view.fit",
    title: "Look at the selection, or at all",
    group: "View",
    icon: "fit",
    keys: ".",
    when: hasTab,
    run: (editor) => lookAt(editor, false),
  },
  {
    id: "view.fit-all",
    title: "Look at everything",
    group: "View",
    keys: "Shift+1",
    when: hasTab,
    run: (editor) => lookAt(editor, true),
  },
  {
    id: "view.zoom-in",
    title: "Zoom in",
    group: "View",
    keys: "+ =",
    when: hasTab,
    run: ({ canvas }) => canvas.zoomBy(1.25),
  },
  {
    id: "view.zoom-out",
    title: "Zoom out",
    group: "View",
    keys: "-",
    when: hasTab,
    run: ({ canvas }) => canvas.zoomBy(0.8),
  },
  {
    id: "view.zoom-100",
    title: "Zoom to 100 %",
    group: "View",
    keys: "0",
    when: hasTab,
    run: ({ canvas }) => canvas.zoomTo(1),
  },
  {
    id: "view.form",
    title: "Form",
    group: "View",
    icon: "form",
    keys: "Alt+f",
    when: hasTab,
    on: ({ tabs }) => tabs.current()?.view === "form",
    run({ tabs }) {
      const tab = tabs.current();
      if (tab) tabs.patch(tab.id, { view: tab.view === "form" ? "graph" : "form" });
    },
  },
  ...PANELS,
  toggle("snap", "Snap to the grid"),
  toggle("grid", "Show the grid", "grid"),
  toggle("minimap", "Show the map", "minimap"),
  toggle("previews", "Show previews"),
  ...THEMES.map(
    (theme): Command => ({
      id: `view.theme-${theme}`,
      title: `Theme: ${theme}`,
      group: "View",
      on: ({ settings }) => settings.getState().values.theme === theme,
      run: ({ settings }) => settings.set({ theme }),
    }),
  ),
  {
    id: "view.settings",
    title: "Settings",
    group: "View",
    icon: "settings",
    keys: "Mod+,",
    always: true,
    run: ({ ui }) => ui.show({ kind: "settings" }),
  },
  {
    id: "help.shortcuts",
    title: "Keyboard shortcuts",
    group: "Help",
    icon: "keyboard",
    keys: "?",
    run: ({ ui }) => ui.show({ kind: "shortcuts" }),
  },
  {
    id: "help.api",
    title: "Interface of the server",
    group: "Help",
    icon: "book",
    run: ({ api }) => void window.open(new URL("docs", api.base)),
  },
];
