/** Nodes that are added, copied and pasted. */

import { focusNode, showNode } from "../canvas/focus";
import { unusedGroups } from "../doc/calls";
import { addNode, connect, freshId, GRID, remove } from "../doc/edits";
import { pruneCalls } from "../doc/exposed";
import { freePlace } from "../doc/free_place";
import { geometry } from "../doc/geometry";
import { fittingInputs, fittingOutputs } from "../doc/insert";
import { type Face, faceOf, type Library, specOf } from "../doc/library";
import { graphAt, groupAt, withGraph } from "../doc/scope";
import {
  GROUP_PREFIX,
  type Graph,
  type NodeEntry,
  type NodeLayout,
  type Point,
} from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, type Tab, workflowOf } from "../store/tabs";
import type { Loose } from "../store/ui";
import { clipboardActions } from "./clipboard";

export interface NodeActions {
  /** Add a node of a type, and draw the wire that waits for it; gives its id. */
  add(type: string, at: Point, loose?: Loose | null, inputs?: NodeEntry["inputs"]): string | null;
  /** As `add`, at the free place that is nearest. */
  addNear(type: string, at: Point, loose?: Loose | null): string | null;
  copy(): Promise<void>;
  cut(): Promise<void>;
  /** @param keepOuter Wires from nodes that were not copied lead to the copies too. */
  paste(text: string, keepOuter: boolean): boolean;
  duplicate(): void;
  remove(): void;
  /** Look at a node by its flat id, entering the groups that it lies in, and give it the focus. */
  look(flat: string): void;
  /** The same, but whoever has the focus keeps it. */
  show(flat: string): void;
}

export function makeNodeActions(get: () => Editor): NodeActions {
  const selection = () => [...(get().tabs.current()?.selection ?? [])];
  const actions: NodeActions = {
    add(type, at, loose = null, inputs) {
      const editor = get();
      const { tabs, library } = editor;
      const tab = tabs.current();
      if (!tab) return null;
      let made: string | null = null;
      tabs.editGraph((graph, workflow) => {
        const id = freshId(type, graph);
        made = id;
        const lib = library.getState().library;
        const entry: NodeEntry = { type, ...(inputs && { inputs }) };
        const snap = editor.settings.getState().values.snap ? GRID : 1;
        const round = (value: number) => Math.round(value / snap) * snap;
        const layout: NodeLayout = { at: [round(at[0]), round(at[1])], ...seeds(type, lib) };
        const added = addNode(graph, id, entry, layout);
        return loose ? tied(added, id, loose, faceOf(id, entry, added, workflow, lib)) : added;
      });
      if (made !== null) tabs.select([`n:${made}`]);
      return made;
    },
    addNear(type, at, loose = null) {
      const { tabs, library: store } = get();
      const tab = tabs.current();
      if (!tab) return null;
      const [graph, workflow] = [graphOf(tab), workflowOf(tab)];
      const { library } = store.getState();
      const entry: NodeEntry = { type };
      const face = faceOf(freshId(type, graph), entry, graph, workflow, library);
      const { width, height } = geometry(entry, face, undefined);
      return actions.add(type, freePlace(graph, workflow, library, at, [width, height]), loose);
    },
    ...clipboardActions(get, () => actions.remove()),
    remove() {
      const items = selection();
      const { tabs } = get();
      const before = tabs.current();
      tabs.edit((workflow) => {
        const scope = tabs.current()?.scope ?? [];
        const next = withGraph(workflow, scope, remove(graphAt(workflow, scope), items));
        const group = groupAt(workflow, scope);
        // What the group no longer shows its calls cannot be given.
        return group ? pruneCalls(next, group) : next;
      });
      tabs.select([]);
      tellOfUnused(get(), before);
    },
    look: (flat) => lookAt(get(), flat, focusNode),
    show: (flat) => lookAt(get(), flat, showNode),
  };
  return actions;
}

/** Say which groups lost their last call; they are kept, so that a call can be added again. */
function tellOfUnused({ tabs, ui }: Editor, before: Tab | undefined): void {
  const tab = tabs.current();
  if (!before || !tab) return;
  const known = unusedGroups(workflowOf(before));
  const names = unusedGroups(workflowOf(tab)).filter((name) => !known.includes(name));
  if (names.length === 0) return;
  const listed = names.map((name) => `'${name}'`).join(", ");
  ui.say(`Nothing calls ${listed} any more; the inspector lists such groups and drops them.`);
}

/** Enter the groups around a node, and then do something to it there. */
function lookAt(editor: Editor, flat: string, then: (editor: Editor, id: string) => void): void {
  const parts = flat.split("/");
  const id = parts.at(-1);
  const scope = parts.slice(0, -1).join("/");
  const before = editor.tabs.current();
  if (before?.scope.join("/") !== scope) {
    editor.tabs.leave(0);
    for (const call of parts.slice(0, -1)) editor.tabs.enter(call);
  }
  const tab = editor.tabs.current();
  if (!tab || id === undefined || !graphOf(tab).nodes[id]) return;
  if (tab.view === "form") editor.tabs.patch(tab.id, { view: "graph" });
  if (tab === before && tab.view === "graph") {
    then(editor, id);
    return;
  }
  const thenHere = () => {
    // Somebody who is quick looks elsewhere by now.
    if (editor.tabs.current()?.scope.join("/") === scope) then(editor, id);
  };
  // The canvas of another group is there only after the page was drawn.
  requestAnimationFrame(() => requestAnimationFrame(thenHere));
}

/** A new sampler draws something else each time; a seed that was set stays. */
function seeds(type: string, library: Library): Partial<NodeLayout> {
  if (type.startsWith(GROUP_PREFIX)) return {};
  const ports = specOf(library, type)?.inputs.filter((port) => port.widget === "seed") ?? [];
  if (ports.length === 0) return {};
  return { seeds: Object.fromEntries(ports.map((port) => [port.name, "random" as const])) };
}

/** Draw the wire that was let go over nothing to the first socket of the new node that fits. */
function tied(graph: Graph, id: string, loose: Loose, face: Face): Graph {
  if (loose.from) {
    const [port] = fittingInputs(face, loose.type);
    if (!port) return graph;
    const end = { node: id, input: port.name, index: port.grows ? 0 : null, grows: port.grows };
    return connect(graph, loose.from, end, loose.via);
  }
  const [port] = fittingOutputs(face, loose.type);
  return port && loose.to ? connect(graph, { node: id, output: port.name }, loose.to) : graph;
}
