/** The open workflows: each with its history, and with what is seen of it but not part of it. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { begin, commit, type History, redo, seal, undo } from "../doc/history";
import { graphAt, groupOf, type Scope, withGraph } from "../doc/scope";
import type { Graph, Item, Workflow } from "../doc/types";
import type { Problem } from "../server/api";

export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Tab {
  readonly id: string;
  /** Name of the saved workflow on the server; null for one that was never saved. */
  readonly path: string | null;
  readonly etag: string | null;
  readonly history: History;
  /** The document as the file has it: another one is unsaved work. */
  readonly saved: Workflow | null;
  readonly scope: Scope;
  readonly selection: ReadonlySet<Item>;
  /** What was in view, by scope. */
  readonly viewports: Readonly<Record<string, Viewport>>;
  /** The job whose progress and pictures the nodes show. */
  readonly job: string | null;
  /** Jobs that were handed in from here, the newest last; the one that runs is shown. */
  readonly jobs: readonly string[];
  readonly locked: boolean;
  readonly problems: readonly Problem[];
  readonly view: "graph" | "form";
  /** Somebody else saved the file since it was read here. */
  readonly overtaken: boolean;
  /** Another window has the same file open. */
  readonly elsewhere: boolean;
}

export interface Opened {
  readonly workflow: Workflow;
  readonly path?: string | null;
  readonly etag?: string | null;
  readonly saved?: Workflow | null;
  readonly scope?: Scope;
  readonly view?: "graph" | "form";
}

type GraphEdit = (graph: Graph, workflow: Workflow) => Graph;

interface TabsState {
  readonly tabs: readonly Tab[];
  readonly active: string;
}

export interface Tabs extends StoreApi<TabsState> {
  /** Open a workflow in a tab of its own and show it; gives the tab's id. */
  open(opened: Opened): string;
  close(id: string): void;
  activate(id: string): void;
  /** The tab in view; undefined while none is open. */
  current(): Tab | undefined;
  find(id: string): Tab | undefined;
  /** Change what is no document. */
  patch(id: string, part: Partial<Omit<Tab, "id" | "history">>): void;
  /** Edit the document of the tab in view: one step of undo, joined to the last of the same tag. */
  edit(change: (workflow: Workflow) => Workflow, tag?: string): void;
  /** Edit the graph that is in view. */
  editGraph(change: GraphEdit, tag?: string): void;
  /** The way to edit the graph that is in view now, also when another one is in view by then. */
  here(): Tabs["editGraph"];
  /** The next edit is a step of its own. */
  seal(): void;
  undo(): void;
  redo(): void;
  select(items: Iterable<Item>, how?: "set" | "add" | "toggle"): void;
  enter(call: string): void;
  /** Go back out until so many calls are entered. */
  leave(depth: number): void;
}

export const scopeKey = (scope: Scope): string => scope.join("/");
export const workflowOf = (tab: Tab): Workflow => tab.history.now;
export const graphOf = (tab: Tab): Graph => graphAt(tab.history.now, tab.scope);
export const isUnsaved = (tab: Tab): boolean => tab.saved !== tab.history.now;

const NOTHING: ReadonlySet<Item> = new Set();

/** What is told when a locked workflow is edited. */
export const LOCKED = "This workflow is locked; unlock it to change it.";

export function makeTabs(
  told: (sentence: string) => void,
  now: () => number = () => performance.now(),
): Tabs {
  const store = createStore<TabsState>(() => ({ tabs: [], active: "" }));
  const { getState: get, setState: set } = store;
  const find = (id: string) => get().tabs.find((tab) => tab.id === id);
  const current = () => find(get().active);
  let made = 0;

  const change = (id: string, next: (tab: Tab) => Tab) => set(changing(id, next));
  const step = (next: (history: History) => History, id = get().active) => {
    const tab = find(id);
    if (!tab) return;
    if (tab.locked) return told(LOCKED);
    change(tab.id, (one) => {
      const history = next(one.history);
      return history === one.history ? one : { ...one, history, ...stillThere(one, history.now) };
    });
  };
  const edit = (next: (workflow: Workflow) => Workflow, tag = "", id?: string) =>
    step((history) => commit(history, next(history.now), tag, now()), id);
  const editAt = (id: string | undefined, scope: Scope, next: GraphEdit, tag?: string) =>
    edit((workflow) => editedAt(workflow, scope, next), tag, id);

  return {
    ...store,
    find,
    current,
    open(opened) {
      made += 1;
      const id = `tab-${made}`;
      const tab = newTab(id, opened);
      set(({ tabs }) => ({ tabs: [...tabs, tab], active: id }));
      return id;
    },
    close: (id) => set((state) => closed(state, id)),
    activate: (id) => set({ active: id }),
    patch: (id, part) => change(id, (tab) => ({ ...tab, ...part })),
    edit: (next, tag) => edit(next, tag),
    editGraph: (next, tag) => editAt(undefined, current()?.scope ?? [], next, tag),
    here() {
      const tab = current();
      return (next, tag) => editAt(tab?.id, tab?.scope ?? [], next, tag);
    },
    seal() {
      const tab = current();
      if (tab) change(tab.id, (one) => ({ ...one, history: seal(one.history) }));
    },
    undo: () => step(undo),
    redo: () => step(redo),
    select(items, how = "set") {
      const tab = current();
      if (tab) change(tab.id, (one) => withSelection(one, items, how));
    },
    enter(call) {
      const tab = current();
      if (tab) change(tab.id, (one) => entered(one, call));
    },
    leave(depth) {
      const tab = current();
      if (tab) change(tab.id, (one) => left(one, depth));
    },
  };
}

function editedAt(workflow: Workflow, scope: Scope, next: GraphEdit): Workflow {
  const graph = graphAt(workflow, scope);
  const after = next(graph, workflow);
  return after === graph ? workflow : withGraph(workflow, scope, after);
}

/** Change one tab; nobody is told if it stays as it is. */
const changing =
  (id: string, next: (tab: Tab) => Tab) =>
  ({ tabs }: TabsState): Partial<TabsState> => {
    const after = tabs.map((tab) => (tab.id === id ? next(tab) : tab));
    return after.some((tab, index) => tab !== tabs[index]) ? { tabs: after } : {};
  };

/** Without a tab; the one beside it is shown in its place. */
function closed({ tabs, active }: TabsState, id: string): TabsState {
  const index = tabs.findIndex((tab) => tab.id === id);
  const rest = tabs.filter((tab) => tab.id !== id);
  const beside = rest[Math.min(index, rest.length - 1)]?.id ?? "";
  return { tabs: rest, active: active === id ? beside : active };
}

function entered(tab: Tab, call: string): Tab {
  const entry = graphOf(tab).nodes[call];
  const group = entry && groupOf(entry.type);
  if (!group || !tab.history.now.groups[group]) return tab;
  return { ...tab, scope: [...tab.scope, call], selection: NOTHING };
}

/** Out of the calls beyond a depth; the outermost of them is selected. */
function left(tab: Tab, depth: number): Tab {
  const call = tab.scope[depth];
  if (call === undefined) return tab;
  return { ...tab, scope: tab.scope.slice(0, depth), selection: new Set<Item>([`n:${call}`]) };
}

function withSelection(tab: Tab, items: Iterable<Item>, how: "set" | "add" | "toggle"): Tab {
  const next = new Set(how === "set" ? [] : tab.selection);
  for (const key of items) {
    if (how === "toggle" && next.has(key)) next.delete(key);
    else next.add(key);
  }
  const same = next.size === tab.selection.size && [...next].every((key) => tab.selection.has(key));
  return same ? tab : { ...tab, selection: next };
}

/** After undo the call that was entered may be gone: look at what is left of the way in. */
function stillThere(tab: Tab, workflow: Workflow): Pick<Tab, "scope"> {
  let graph: Graph = workflow;
  for (const [depth, call] of tab.scope.entries()) {
    const entry = graph.nodes[call];
    const name = entry ? groupOf(entry.type) : null;
    const inner = name === null ? undefined : workflow.groups[name];
    if (!inner) return { scope: tab.scope.slice(0, depth) };
    graph = inner;
  }
  return { scope: tab.scope };
}

function newTab(id: string, opened: Opened): Tab {
  const saved = opened.saved === undefined ? opened.workflow : opened.saved;
  return {
    id,
    path: opened.path ?? null,
    etag: opened.etag ?? null,
    history: begin(opened.workflow),
    saved,
    scope: opened.scope ?? [],
    selection: NOTHING,
    viewports: {},
    job: null,
    jobs: [],
    locked: false,
    problems: [],
    view: opened.view ?? "graph",
    overtaken: false,
    elsewhere: false,
  };
}
