/** The editor as one object that is handed to every part: its stores, its client, its canvas. */

import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { Actions } from "./actions/actions";
import type { CanvasHandle } from "./canvas/handle";
import type { Command } from "./commands/command";
import type { Plugins, PluginsState } from "./plugins/plugins";
import type { Api } from "./server/api";
import type { Line } from "./server/line";
import type { LibraryState, LibraryStore } from "./store/library";
import type { RunsState, RunsStore } from "./store/runs";
import type { SettingsState, SettingsStore } from "./store/settings";
import type { ShelfState, ShelfStore } from "./store/shelf";
import type { Tab, Tabs } from "./store/tabs";
import type { Ui, UiState } from "./store/ui";
import type { Questions } from "./ui/confirm";

export interface Editor {
  readonly api: Api;
  readonly line: Line;
  readonly tabs: Tabs;
  readonly runs: RunsStore;
  readonly library: LibraryStore;
  readonly settings: SettingsStore;
  readonly shelf: ShelfStore;
  readonly ui: Ui;
  readonly questions: Questions;
  readonly plugins: Plugins;
  readonly canvas: CanvasHandle;
  readonly actions: Actions;
  readonly commands: readonly Command[];
}

export const EditorContext = createContext<Editor | null>(null);

export function useEditor(): Editor {
  const editor = useContext(EditorContext);
  if (!editor) throw new Error("This part stands outside of the editor.");
  return editor;
}

/** Something of the tab in view; null while none is open. */
export function useTab<T>(select: (tab: Tab) => T): T | null {
  const { tabs } = useEditor();
  return useStore(tabs, (state) => {
    const tab = state.tabs.find((one) => one.id === state.active);
    return tab ? select(tab) : null;
  });
}

export const useUi = <T>(select: (state: UiState) => T): T => useStore(useEditor().ui, select);
export const useRuns = <T>(select: (state: RunsState) => T): T =>
  useStore(useEditor().runs, select);
export const useLibrary = <T>(select: (state: LibraryState) => T): T =>
  useStore(useEditor().library, select);
export const useSettings = <T>(select: (state: SettingsState) => T): T =>
  useStore(useEditor().settings, select);
export const usePlugins = <T>(select: (state: PluginsState) => T): T =>
  useStore(useEditor().plugins, select);
export const useShelf = <T>(select: (state: ShelfState) => T): T =>
  useStore(useEditor().shelf, select);
