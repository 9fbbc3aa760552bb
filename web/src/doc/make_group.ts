/**
 * Making a group of some nodes, and a call in their place.
 *
 * The engine puts a group's nodes in the place of its call before anything else, so a group may hold
 * any nodes. Wires may even lead from a call around to itself: where a list of links mixes inner
 * and outer ones, the whole list goes through the call, since an exposed input is given as a whole.
 */

import { boxesOf, boxOf, within } from "./boxes";
import { freshText } from "./calls";
import { dropReroutes, freshId, GRID, relink, withLayout, without } from "./edits";
import { inside } from "./frames";
import { around, type Box, geometry } from "./geometry";
import { type Edges, edgesOf, placeKey } from "./group_edges";
import { literal, placesOf, readInput, wireEnd, wireKey } from "./inputs";
import { faceOf, type Library } from "./library";
import { graphAt, type Scope, withGraph } from "./scope";
import {
  GROUP_PREFIX,
  type Graph,
  type InputPlace,
  type Item,
  idsOf,
  type Json,
  type Layout,
  type LinkRef,
  type NodeEntry,
  type NodeLayout,
  type OutputPlace,
  own,
  type Point,
  type Workflow,
} from "./types";

/** What goes into the group. */
interface Moved {
  readonly nodes: ReadonlySet<string>;
  readonly frames: ReadonlySet<string>;
  readonly notes: ReadonlySet<string>;
  readonly box: Box;
}

/** Make a group of some nodes; frames and notes that lie among them go along. */
export function makeGroup(
  workflow: Workflow,
  scope: Scope,
  ids: readonly string[],
  name: string,
  library: Library,
): { readonly workflow: Workflow; readonly call: string } {
  const graph = graphAt(workflow, scope);
  const moved = movedBy(ids, graph, workflow, library);
  if (!moved) return { workflow, call: "" };
  const edges = edgesOf(graph, moved.nodes, workflow, library);
  const group = freshText(name, workflow.groups);
  const type = `${GROUP_PREFIX}${group}`;
  const call = freshId(type, { ...graph, nodes: without(graph.nodes, moved.nodes) });
  const groups = { ...workflow.groups, [group]: innerGraph(graph, moved, edges) };
  const outer = outerGraph(graph, moved, edges, call, type);
  const made = withGraph({ ...workflow, groups }, scope, outer);
  return { workflow: withGraph(made, scope, centred(outer, call, moved.box, made, library)), call };
}

function movedBy(
  ids: readonly string[],
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Moved | null {
  const nodes = new Set(ids.filter((id) => own(graph.nodes, id)));
  const items = [...nodes].map((id): Item => `n:${id}`);
  const frames = new Set<string>();
  for (const id of Object.keys(graph.layout.frames ?? {})) {
    const held = idsOf(inside(graph, id, workflow, library), "n");
    if (held.length > 0 && held.every((one) => nodes.has(one))) frames.add(id);
  }
  const all = [...items, ...[...frames].map((id): Item => `f:${id}`)];
  const box = around(boxesOf(all, graph, workflow, library).values());
  if (!box || nodes.size === 0) return null;
  const amid = (key: Item) => {
    const inner = boxOf(key, graph, workflow, library);
    return inner !== null && within(inner, box);
  };
  const notes = Object.keys(graph.layout.notes ?? {}).filter((id) => amid(`t:${id}`));
  return { nodes, frames, notes: new Set(notes), box };
}

const onGrid = (value: number): number => Math.floor(value / GRID) * GRID;

function innerGraph(graph: Graph, moved: Moved, edges: Edges): Graph {
  const nodes: Record<string, NodeEntry> = {};
  const layouts: Record<string, NodeLayout> = {};
  const by: Point = [-onGrid(moved.box.x), -onGrid(moved.box.y)];
  for (const id of moved.nodes) {
    const entry = own(graph.nodes, id);
    if (!entry) continue;
    const inner = innerNode(id, entry, own(graph.layout.nodes, id) ?? { at: [0, 0] }, edges);
    nodes[id] = inner.entry;
    layouts[id] = inner.layout;
  }
  const inputs: Record<string, InputPlace | readonly InputPlace[]> = {};
  for (const { name, places } of edges.inlets) {
    const [only] = places;
    inputs[name] = places.length === 1 && only ? only : places;
  }
  const layout = innerLayout(graph, moved, nodes, by);
  return {
    nodes,
    inputs,
    outputs: edges.outputs,
    layout: {
      ...layout,
      nodes: shifted(layouts, by),
      inputs: Object.keys(inputs),
      outputs: Object.keys(edges.outputs),
    },
  };
}

/** A moved node without what the call gives; the literal that a wire had replaced is there again. */
function innerNode(
  id: string,
  entry: NodeEntry,
  layout: NodeLayout,
  edges: Edges,
): { readonly entry: NodeEntry; readonly layout: NodeLayout } {
  const inputs: [string, Json][] = [];
  const kept: Record<string, Json> = { ...layout.kept };
  for (const [name, raw] of Object.entries(entry.inputs ?? {})) {
    if (edges.inletOf.get(placeKey(id, name))?.raw === undefined) inputs.push([name, raw]);
    else if (Object.hasOwn(kept, name)) {
      inputs.push([name, literal(kept[name] ?? null)]);
      delete kept[name];
    }
  }
  const { kept: _, ...rest } = layout;
  return {
    entry: entry.inputs ? { ...entry, inputs: Object.fromEntries(inputs) } : entry,
    layout: Object.keys(kept).length > 0 ? { ...rest, kept } : rest,
  };
}

/** Frames, notes, and the reroutes of wires that are whole inside. */
function innerLayout(
  graph: Graph,
  moved: Moved,
  nodes: Readonly<Record<string, NodeEntry>>,
  by: Point,
): Layout {
  const { frames, notes, reroutes, wires } = graph.layout;
  const innerWires = Object.entries(wires ?? {}).filter(([key]) => {
    const { node, input } = wireEnd(key);
    const source = readInput(own(own(nodes, node)?.inputs, input) ?? null);
    return source.kind !== "value";
  });
  const passed = innerWires.flatMap(([, via]) => via);
  return {
    ...(moved.frames.size > 0 && { frames: shifted(frames, by, moved.frames) }),
    ...(moved.notes.size > 0 && { notes: shifted(notes, by, moved.notes) }),
    ...(passed.length > 0 && {
      reroutes: shifted(reroutes, by, new Set(passed)),
      wires: Object.fromEntries(innerWires),
    }),
  };
}

function shifted<T extends { readonly at: Point }>(
  parts: Readonly<Record<string, T>> | undefined,
  [dx, dy]: Point,
  ids: Iterable<string> = Object.keys(parts ?? {}),
): Record<string, T> {
  const next: Record<string, T> = {};
  for (const id of ids) {
    const part = own(parts, id);
    if (part) next[id] = { ...part, at: [part.at[0] + dx, part.at[1] + dy] };
  }
  return next;
}

function outerGraph(graph: Graph, moved: Moved, edges: Edges, call: string, type: string): Graph {
  const through = (link: LinkRef): LinkRef =>
    moved.nodes.has(link.node) ? { node: call, output: edges.outlet(link) } : link;
  const given: Record<string, Json> = {};
  for (const { name, raw } of edges.inlets) if (raw !== undefined) given[name] = raw;
  const nodes: Record<string, NodeEntry> = {};
  for (const [id, entry] of Object.entries(graph.nodes)) {
    if (moved.nodes.has(id)) continue;
    nodes[id] = entry.inputs ? { ...entry, inputs: relink(entry.inputs, through) } : entry;
  }
  nodes[call] = { type, inputs: relink(given, through) };
  const outputs: Record<string, OutputPlace> = {};
  for (const [name, place] of Object.entries(graph.outputs)) {
    outputs[name] = moved.nodes.has(place.node) ? { ...place, ...through(place) } : place;
  }
  const inputs = outerInputs(graph, edges, call);
  const { layout } = graph;
  const next = withLayout(
    { ...graph, nodes, inputs, outputs },
    {
      nodes: without(layout.nodes ?? {}, moved.nodes),
      ...(layout.frames && { frames: without(layout.frames, moved.frames) }),
      ...(layout.notes && { notes: without(layout.notes, moved.notes) }),
      ...(layout.wires && { wires: outerWires(graph, moved, edges, call) }),
    },
  );
  return dropReroutes(next);
}

/** What the outer graph exposes of moved nodes leads through the call. */
function outerInputs(graph: Graph, edges: Edges, call: string): Graph["inputs"] {
  const inputs: Record<string, InputPlace | readonly InputPlace[]> = {};
  for (const [name, places] of Object.entries(graph.inputs)) {
    const found = new Map<string, InputPlace>();
    for (const place of placesOf(places)) {
      const inlet = edges.inletOf.get(placeKey(place.node, place.input));
      const next = inlet ? { node: call, input: inlet.name } : place;
      found.set(placeKey(next.node, next.input), next);
    }
    const [only, ...more] = found.values();
    if (only) inputs[name] = more.length > 0 ? [only, ...more] : only;
  }
  return inputs;
}

/** A wire into the group keeps its reroutes; of several that became one, those of the first. */
function outerWires(
  graph: Graph,
  moved: Moved,
  edges: Edges,
  call: string,
): Record<string, readonly string[]> {
  const wires: Record<string, readonly string[]> = {};
  for (const [key, via] of Object.entries(graph.layout.wires ?? {})) {
    const { node, input, index } = wireEnd(key);
    const inlet = edges.inletOf.get(placeKey(node, input));
    if (!moved.nodes.has(node)) wires[key] = via;
    else if (inlet?.raw !== undefined) {
      const next = wireKey({ node: call, input: inlet.name, index });
      if (inlet.places[0]?.node === node && inlet.places[0].input === input) wires[next] = via;
    }
  }
  return wires;
}

/** The call lies in the middle of what it stands for, at its top. */
function centred(
  graph: Graph,
  call: string,
  box: Box,
  workflow: Workflow,
  library: Library,
): Graph {
  const entry = graph.nodes[call];
  if (!entry) return graph;
  const shape = geometry(entry, faceOf(call, entry, graph, workflow, library), undefined);
  const x = box.x + (box.width - shape.width) / 2;
  const at: Point = [Math.round(x / GRID) * GRID, onGrid(box.y)];
  return withLayout(graph, { nodes: { ...graph.layout.nodes, [call]: { at } } });
}
