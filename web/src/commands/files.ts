import { isUnsaved } from "../store/tabs";
import type { Command } from "./command";
import { hasTab } from "./selection";

/** Ask for a file of this machine. */
function pick(accept: string): Promise<File | null> {
  return new Promise((settle) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = accept;
    input.onchange = () => settle(input.files?.[0] ?? null);
    input.oncancel = () => settle(null);
    input.click();
  });
}

export const FILE_COMMANDS: readonly Command[] = [
  {
    id: "file.new",
    title: "New workflow",
    group: "File",
    icon: "plus",
    keys: "Alt+n",
    run: ({ actions }) => actions.files.create(),
  },
  {
    id: "file.open",
    title: "Open a workflow of the server",
    group: "File",
    icon: "folder",
    keys: "Mod+o",
    always: true,
    run: ({ ui }) => ui.setState({ left: "workflows" }),
  },
  {
    id: "file.open-file",
    title: "Open a file or picture",
    group: "File",
    icon: "upload",
    async run({ actions }) {
      const file = await pick(".json,image/png,image/jpeg,image/webp");
      if (file) await actions.files.openFile(file, file.name);
    },
  },
  {
    id: "file.templates",
    title: "Templates",
    group: "File",
    icon: "gallery",
    run: ({ ui }) => ui.show({ kind: "templates" }),
  },
  {
    id: "file.save",
    title: "Save",
    group: "File",
    icon: "save",
    keys: "Mod+s",
    always: true,
    when: hasTab,
    async run({ actions }) {
      await actions.files.save();
    },
  },
  {
    id: "file.save-as",
    title: "Save as",
    group: "File",
    keys: "Mod+Shift+s",
    always: true,
    when: hasTab,
    run({ tabs, ui }) {
      const tab = tabs.current();
      if (tab) ui.show({ kind: "save-as", tab: tab.id });
    },
  },
  {
    id: "file.download",
    title: "Download as JSON",
    group: "File",
    icon: "download",
    when: hasTab,
    run({ tabs, actions }) {
      const tab = tabs.current();
      if (tab) actions.files.download(tab);
    },
  },
  {
    id: "file.revert",
    title: "Go back to what is saved",
    group: "File",
    when({ tabs }) {
      const tab = tabs.current();
      return tab !== undefined && tab.path !== null && isUnsaved(tab);
    },
    async run({ tabs, actions }) {
      const tab = tabs.current();
      if (tab) await actions.files.reload(tab);
    },
  },
  {
    id: "file.close",
    title: "Close the tab",
    group: "File",
    icon: "close",
    keys: "Alt+w",
    when: hasTab,
    async run({ tabs, actions }) {
      const tab = tabs.current();
      if (tab) await actions.files.close(tab.id);
    },
  },
];
