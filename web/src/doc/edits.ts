/** Edits of one graph: pure functions from a graph to the next. Each is one step of undo. */

import {
  linkJson,
  literal,
  placesOf,
  readInput,
  type WireEnd,
  wireEnd,
  wireKey,
  wiresOf,
} from "./inputs";
import {
  type Graph,
  type InputPlace,
  type Item,
  idsOf,
  type Json,
  type Layout,
  type LinkRef,
  type Mode,
  type NodeEntry,
  type NodeLayout,
  type Point,
} from "./types";

export const GRID = 20;

const UNPLACED: NodeLayout = { at: [0, 0] };

/** A name that is not taken yet: `sample`, `sample_2`, ... */
export function freshName(wanted: string, taken: object): string {
  const base = wanted.replace(/[^\p{L}\p{N}_-]+/gu, "_") || "node";
  if (!Object.hasOwn(taken, base)) return base;
  for (let count = 2; ; count += 1) {
    const name = `${base}_${count}`;
    if (!Object.hasOwn(taken, name)) return name;
  }
}

/** The id for a new node of a type: the last part of the type's name, made unique. */
export const freshId = (type: string, graph: Graph): string =>
  freshName(
    type
      .replace(/^group:/, "")
      .split(".")
      .at(-1) ?? type,
    graph.nodes,
  );

export function addNode(graph: Graph, id: string, entry: NodeEntry, layout: NodeLayout): Graph {
  const placed = withNodeLayout(graph, id, () => layout);
  return { ...placed, nodes: { ...placed.nodes, [id]: entry } };
}

/** A graph in which the layout of a node is another. */
export function withNodeLayout(
  graph: Graph,
  id: string,
  change: (layout: NodeLayout) => NodeLayout,
): Graph {
  const before = graph.layout.nodes?.[id] ?? UNPLACED;
  const after = change(before);
  if (after === before && graph.layout.nodes?.[id]) return graph;
  return withLayout(graph, { nodes: { ...graph.layout.nodes, [id]: after } });
}

export const withLayout = (graph: Graph, part: Partial<Layout>): Graph => ({
  ...graph,
  layout: { ...graph.layout, ...part },
});

/** A copy without some keys; the same record if it has none of them. */
export function without<T>(
  record: Readonly<Record<string, T>>,
  names: Iterable<string>,
): Readonly<Record<string, T>> {
  const gone = new Set([...names].filter((name) => Object.hasOwn(record, name)));
  if (gone.size === 0) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => !gone.has(name)));
}

/** Change some nodes, those that exist. */
export function editNodes(
  graph: Graph,
  ids: Iterable<string>,
  change: (entry: NodeEntry, id: string) => NodeEntry,
): Graph {
  const nodes: Record<string, NodeEntry> = { ...graph.nodes };
  let changed = false;
  for (const id of ids) {
    const before = nodes[id];
    if (!before) continue;
    const after = change(before, id);
    changed ||= after !== before;
    nodes[id] = after;
  }
  return changed ? { ...graph, nodes } : graph;
}

/** Change the layout of some nodes. */
export function editLayouts(
  graph: Graph,
  ids: Iterable<string>,
  change: (layout: NodeLayout, id: string) => NodeLayout,
): Graph {
  const layouts: Record<string, NodeLayout> = { ...graph.layout.nodes };
  let changed = false;
  for (const id of ids) {
    if (!graph.nodes[id]) continue;
    const before = layouts[id];
    const after = change(before ?? UNPLACED, id);
    changed ||= after !== before;
    layouts[id] = after;
  }
  return changed ? withLayout(graph, { nodes: layouts }) : graph;
}

/** Write a literal into an input. */
export const setInput = (graph: Graph, node: string, input: string, value: Json): Graph =>
  editNodes(graph, [node], (entry) => ({
    ...entry,
    inputs: { ...entry.inputs, [input]: literal(value) },
  }));

/** Let an input have its default again. */
export const clearInput = (graph: Graph, node: string, input: string): Graph =>
  editNodes(graph, [node], (entry) => ({ ...entry, inputs: without(entry.inputs ?? {}, [input]) }));

export const setMode = (graph: Graph, ids: Iterable<string>, mode: Mode | null): Graph =>
  editNodes(graph, ids, (entry) => {
    const { mode: _, ...rest } = entry;
    return mode === null ? rest : { ...rest, mode };
  });

/** Where each item is to lie, for nodes, frames, notes and reroutes alike. */
export function place(graph: Graph, places: ReadonlyMap<Item, Point>): Graph {
  const layout: { -readonly [K in keyof Layout]: Layout[K] } = { ...graph.layout };
  for (const [kind, name] of [
    ["n", "nodes"],
    ["f", "frames"],
    ["t", "notes"],
    ["r", "reroutes"],
  ] as const) {
    const ids = idsOf(places.keys(), kind);
    if (ids.length === 0) continue;
    const parts: Record<string, { readonly at: Point }> = { ...layout[name] };
    for (const id of ids) {
      const at = places.get(`${kind}:${id}`);
      if (at && (parts[id] || kind === "n")) parts[id] = { ...parts[id], at };
    }
    // The kinds differ in what else they hold, which stays as it is.
    Object.assign(layout, { [name]: parts });
  }
  return { ...graph, layout };
}

/**
 * Draw a wire. An input has one: what it had goes, and a literal is kept for the day the wire is
 * pulled. A growing input takes one more, or replaces the one at `index`.
 *
 * @param via Reroutes on the way, from the source on.
 */
export function connect(
  graph: Graph,
  from: LinkRef,
  to: WireEnd & { readonly grows?: boolean },
  via: readonly string[] = [],
): Graph {
  const before = graph.nodes[to.node]?.inputs?.[to.input];
  const had = before === undefined ? null : readInput(before);
  const grows = to.grows === true || had?.kind === "links" || to.index !== null;
  let value: Json = linkJson(from);
  let index: number | null = null;
  if (grows) {
    const links = had?.kind === "links" ? had.links : had?.kind === "link" ? [had.link] : [];
    index = Math.min(to.index ?? links.length, links.length);
    value = [...links.slice(0, index), from, ...links.slice(index + 1)].map(linkJson);
  }
  let next = editNodes(graph, [to.node], (entry) => ({
    ...entry,
    inputs: { ...entry.inputs, [to.input]: value },
  }));
  if (had?.kind === "value" && !grows) next = keep(next, to.node, to.input, had.value);
  if (had?.kind === "link" && grows) next = moveVia(next, to);
  return withVia(next, wireKey({ node: to.node, input: to.input, index }), via);
}

/** The one link that an input had is now the first of several. */
function moveVia(graph: Graph, { node, input }: WireEnd): Graph {
  const alone = wireKey({ node, input, index: null });
  const wires = graph.layout.wires ?? {};
  const via = wires[alone];
  if (!via) return graph;
  const first = wireKey({ node, input, index: 0 });
  return withLayout(graph, { wires: { ...without(wires, [alone]), [first]: via } });
}

const keep = (graph: Graph, node: string, input: string, value: Json): Graph =>
  withNodeLayout(graph, node, (layout) => ({
    ...layout,
    kept: { ...layout.kept, [input]: value },
  }));

/** A graph in which a wire passes some reroutes; reroutes that no wire passes any more are gone. */
export function withVia(graph: Graph, key: string, via: readonly string[]): Graph {
  const wires = graph.layout.wires ?? {};
  if (via.length === 0 && !(key in wires)) return graph;
  const next = via.length === 0 ? without(wires, [key]) : { ...wires, [key]: via };
  return dropReroutes(withLayout(graph, { wires: next }));
}

/** A graph without the reroutes that no wire passes. */
export function dropReroutes(graph: Graph): Graph {
  const used = new Set(Object.values(graph.layout.wires ?? {}).flat());
  const unused = Object.keys(graph.layout.reroutes ?? {}).filter((id) => !used.has(id));
  if (unused.length === 0) return graph;
  return withLayout(graph, { reroutes: without(graph.layout.reroutes ?? {}, unused) });
}

/** Pull a wire; the literal that it had replaced comes back. */
export const disconnect = (graph: Graph, key: string): Graph => disconnectAll(graph, [key]);

/** Pull several wires, each named as the graph names it before any is pulled. */
export function disconnectAll(graph: Graph, keys: Iterable<string>): Graph {
  const gone = new Map<string, Map<string, Set<number | null>>>();
  for (const key of keys) {
    const { node, input, index } = wireEnd(key);
    if (graph.nodes[node]?.inputs?.[input] === undefined) continue;
    const inputs = gone.get(node) ?? new Map<string, Set<number | null>>();
    inputs.set(input, (inputs.get(input) ?? new Set()).add(index));
    gone.set(node, inputs);
  }
  if (gone.size === 0) return graph;
  let next = editNodes(graph, gone.keys(), (entry, id) => {
    const kept = graph.layout.nodes?.[id]?.kept ?? {};
    return { ...entry, inputs: pulled(entry.inputs ?? {}, kept, gone.get(id)) };
  });
  const alone = [...gone.keys()].filter((id) => graph.layout.nodes?.[id]?.kept);
  next = editLayouts(next, alone, ({ kept, ...rest }, id) => {
    const left = without(kept ?? {}, gone.get(id)?.keys() ?? []);
    return Object.keys(left).length > 0 ? { ...rest, kept: left } : rest;
  });
  return graph.layout.wires
    ? dropReroutes(withLayout(next, { wires: viasLeft(graph, gone) }))
    : next;
}

type Gone = ReadonlyMap<string, ReadonlySet<number | null>>;

/** Inputs without some of their wires. */
function pulled(
  inputs: Readonly<Record<string, Json>>,
  kept: Readonly<Record<string, Json>>,
  gone: Gone = new Map(),
): Readonly<Record<string, Json>> {
  const next: Record<string, Json> = { ...inputs };
  const empty: string[] = [];
  for (const [input, indices] of gone) {
    const source = readInput(inputs[input] ?? null);
    const back = kept[input];
    if (source.kind === "links") {
      const left = source.links.filter((_, index) => !indices.has(index));
      if (left.length > 0) next[input] = left.map(linkJson);
      else empty.push(input);
    } else if (source.kind === "link") {
      if (back === undefined) empty.push(input);
      else next[input] = literal(back);
    }
  }
  return without(next, empty);
}

/** The reroutes of the wires that stay; links of a growing input move up. */
function viasLeft(
  graph: Graph,
  gone: ReadonlyMap<string, Gone>,
): Record<string, readonly string[]> {
  const wires: Record<string, readonly string[]> = {};
  for (const [key, via] of Object.entries(graph.layout.wires ?? {})) {
    const end = wireEnd(key);
    const indices = gone.get(end.node)?.get(end.input);
    if (indices?.has(end.index)) continue;
    const { index } = end;
    const before = [...(indices ?? [])].filter((one) => index !== null && (one ?? 0) < index);
    wires[index === null ? key : wireKey({ ...end, index: index - before.length })] = via;
  }
  return wires;
}

/** Remove nodes, frames, notes, reroutes and wires, with all that leads to them. */
export function remove(graph: Graph, items: Iterable<Item>): Graph {
  const all = [...items];
  const nodes = new Set(idsOf(all, "n"));
  const dangling = wiresOf(graph)
    .filter((wire) => nodes.has(wire.from.node) && !nodes.has(wire.to.node))
    .map((wire) => wire.key);
  let next = disconnectAll(graph, [...idsOf(all, "w"), ...dangling]);
  next = removeReroutes(next, idsOf(all, "r"));
  const { layout } = next;
  const lost = Object.keys(layout.wires ?? {}).filter((key) => nodes.has(wireEnd(key).node));
  return dropReroutes({
    ...next,
    nodes: without(next.nodes, nodes),
    inputs: withoutPlaces(next.inputs, nodes),
    outputs: withoutOutputs(next.outputs, nodes),
    layout: {
      ...layout,
      ...(layout.nodes && { nodes: without(layout.nodes, nodes) }),
      ...(layout.frames && { frames: without(layout.frames, idsOf(all, "f")) }),
      ...(layout.notes && { notes: without(layout.notes, idsOf(all, "t")) }),
      ...(layout.wires && { wires: without(layout.wires, lost) }),
    },
  });
}

/** Take reroutes away; the wires that passed them stay. */
export function removeReroutes(graph: Graph, ids: readonly string[]): Graph {
  if (ids.length === 0) return graph;
  const gone = new Set(ids);
  const wires = Object.entries(graph.layout.wires ?? {}).map(
    ([key, via]) => [key, via.filter((one) => !gone.has(one))] as const,
  );
  return withLayout(graph, {
    wires: Object.fromEntries(wires.filter(([, via]) => via.length > 0)),
    reroutes: without(graph.layout.reroutes ?? {}, ids),
  });
}

function withoutPlaces(inputs: Graph["inputs"], nodes: ReadonlySet<string>): Graph["inputs"] {
  const kept: Record<string, InputPlace | readonly InputPlace[]> = {};
  for (const [name, places] of Object.entries(inputs)) {
    const all = placesOf(places);
    const left = all.filter((place) => !nodes.has(place.node));
    const [first] = left;
    if (left.length === all.length) kept[name] = places;
    else if (first) kept[name] = left.length === 1 ? first : left;
  }
  return kept;
}

const withoutOutputs = (outputs: Graph["outputs"], nodes: ReadonlySet<string>): Graph["outputs"] =>
  without(
    outputs,
    Object.keys(outputs).filter((name) => nodes.has(outputs[name]?.node ?? "")),
  );

/** Change what links name, in a copy of some inputs; null leaves a link out. */
export function relink(
  inputs: Readonly<Record<string, Json>>,
  change: (link: LinkRef) => LinkRef | null,
): Record<string, Json> {
  const next: [string, Json][] = [];
  for (const [name, raw] of Object.entries(inputs)) {
    const source = readInput(raw);
    if (source.kind === "value") next.push([name, raw]);
    else if (source.kind === "link") {
      const link = change(source.link);
      if (link) next.push([name, linkJson(link)]);
    } else {
      const links = source.links.map(change).filter((link) => link !== null);
      if (links.length > 0) next.push([name, links.map(linkJson)]);
    }
  }
  return Object.fromEntries(next);
}
