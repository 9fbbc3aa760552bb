/**
 * What packs bring to the editor: plain modules that are handed a small host, and nothing else.
 *
 * A module exports `setup(host)`. What it registers is kept here by name; a pack that throws is told
 * of once, and all others work.
 */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Api } from "../server/api";
import { sentenceOf } from "../server/api";
import type { PluginHandle, PluginMount, PluginWidget } from "../widgets/field_props";

const HOST_VERSION = 1;

type Mount = (element: HTMLElement, told: PluginMount) => PluginHandle;

/** A command of a pack, in the palette. */
interface PluginCommand {
  readonly id: string;
  readonly title: string;
  readonly run: () => void;
}

/** A panel of a pack, at the right. */
interface PluginPanel {
  readonly id: string;
  readonly title: string;
  readonly pack: string;
  readonly mount: (element: HTMLElement, told: { readonly signal: AbortSignal }) => void;
}

interface PluginHost {
  readonly version: number;
  /** Register the widget that `Widget(kind)` of an input asks for. */
  widget(kind: string, mount: Mount): void;
  panel(id: string, title: string, mount: PluginPanel["mount"]): void;
  command(id: string, title: string, run: () => void): void;
  /** Set colours of the theme by the names of its variables, as `--fill-accent`. */
  theme(variables: Readonly<Record<string, string>>): void;
}

export interface PluginsState {
  readonly widgets: Readonly<Record<string, PluginWidget>>;
  readonly panels: readonly PluginPanel[];
  readonly commands: readonly PluginCommand[];
  readonly loaded: readonly string[];
}

export interface Plugins extends StoreApi<PluginsState> {
  /** Load what enabled packs bring; what was loaded before is left alone. */
  load(): Promise<void>;
}

type Load = (url: string) => Promise<unknown>;

/** @param told Told, as a sentence, why a pack's part does not work. */
export function makePlugins(
  api: Api,
  told: (sentence: string) => void,
  load: Load = (url) => import(/* @vite-ignore */ url),
): Plugins {
  const store = createStore<PluginsState>(() => ({
    widgets: {},
    panels: [],
    commands: [],
    loaded: [],
  }));
  const { setState: set, getState: get } = store;

  const hostFor = (pack: string): PluginHost => ({
    version: HOST_VERSION,
    widget: (kind, mount) =>
      set(({ widgets }) => ({ widgets: { ...widgets, [kind]: { pack, mount } } })),
    panel: (id, title, mount) =>
      set(({ panels }) => ({
        panels: [...panels.filter((one) => one.id !== id), { id, title, pack, mount }],
      })),
    command: (id, title, run) =>
      set(({ commands }) => ({
        commands: [...commands.filter((one) => one.id !== id), { id, title, run }],
      })),
    theme(variables) {
      for (const [name, value] of Object.entries(variables)) {
        if (name.startsWith("--")) document.documentElement.style.setProperty(name, value);
      }
    },
  });

  return {
    ...store,
    async load() {
      const found = await api.extensions();
      for (const { pack, url, enabled } of found) {
        if (!enabled || get().loaded.includes(pack)) continue;
        set(({ loaded }) => ({ loaded: [...loaded, pack] }));
        try {
          const module = (await load(url)) as { readonly setup?: (host: PluginHost) => unknown };
          if (typeof module.setup !== "function") throw new Error("it exports no function 'setup'");
          await module.setup(hostFor(pack));
        } catch (error) {
          told(`The part of the pack '${pack}' in the editor does not work: ${sentenceOf(error)}`);
        }
      }
    },
  };
}
