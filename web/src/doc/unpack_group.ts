/** Putting what is in a group in the place of one of its calls; the inverse of `makeGroup`. */

import { boxesOf, itemsOf } from "./boxes";
import { unusedGroups } from "./calls";
import {
  disconnectAll,
  dropReroutes,
  editNodes,
  freshName,
  GRID,
  relink,
  withLayout,
  without,
} from "./edits";
import { around, type Box, geometry } from "./geometry";
import { placeKey } from "./group_edges";
import { placesOf, readInput, wireEnd, wireKey, wiresFrom } from "./inputs";
import { faceOf, inputOf, type Library } from "./library";
import { graphAt, groupOf, type Scope, withGraph } from "./scope";
import {
  type Graph,
  type InputPlace,
  type Item,
  type Json,
  type LinkRef,
  type Mode,
  type NodeEntry,
  type NodeLayout,
  own,
  type Point,
  type Workflow,
} from "./types";

/** All that unpacking one call needs to know. */
interface Unpacking {
  readonly graph: Graph;
  readonly group: Graph;
  readonly call: string;
  readonly entry: NodeEntry;
  readonly layout: NodeLayout | undefined;
  /** Ids in the outer graph of what is in the group. */
  readonly ids: Ids;
  readonly fed: readonly Fed[];
  readonly by: Point;
}

interface Ids {
  readonly nodes: ReadonlyMap<string, string>;
  readonly frames: ReadonlyMap<string, string>;
  readonly notes: ReadonlyMap<string, string>;
  readonly reroutes: ReadonlyMap<string, string>;
}

/** An inner input that the group's inputs feed; the last of them that is given has its way. */
interface Fed {
  readonly place: InputPlace;
  /** The inputs of the group that count, in their order. */
  readonly names: readonly string[];
  /** Names under which the inner node may have it: today's, then earlier ones. */
  readonly inputs: readonly string[];
}

/** Why a call cannot be unpacked, as a sentence; null if it can. */
export function cannotUnpack(workflow: Workflow, scope: Scope, call: string): string | null {
  const entry = own(graphAt(workflow, scope).nodes, call);
  const name = entry ? groupOf(entry.type) : null;
  if (!entry || name === null) return "That is no call of a group.";
  if (!own(workflow.groups, name)) return `There is no group '${name}'.`;
  return entry.repeat
    ? "A group that repeats runs more than once; take away the repeat first."
    : null;
}

/**
 * Put the nodes of a group in the place of a call, under fresh ids. They get what the call gives
 * them, even in place of inner wires, as when it runs. A group that nothing calls then is gone.
 */
export function unpackGroup(
  workflow: Workflow,
  scope: Scope,
  call: string,
  library: Library,
): { readonly workflow: Workflow; readonly items: readonly Item[] } {
  const graph = graphAt(workflow, scope);
  const entry = own(graph.nodes, call);
  const name = groupOf(entry?.type ?? "");
  const group = name === null ? undefined : own(workflow.groups, name);
  if (!entry || name === null || !group || cannotUnpack(workflow, scope, call) !== null) {
    return { workflow, items: [] };
  }
  const others = without(graph.nodes, [call]);
  const work: Unpacking = {
    graph,
    group,
    call,
    entry,
    layout: own(graph.layout.nodes, call),
    ids: {
      nodes: freshIds(group.nodes, others),
      frames: freshIds(group.layout.frames, graph.layout.frames),
      notes: freshIds(group.layout.notes, graph.layout.notes),
      reroutes: freshIds(group.layout.reroutes, graph.layout.reroutes),
    },
    fed: fedBy(group, entry, workflow, library),
    by: offset(group, call, entry, graph, workflow, library),
  };
  const unused = unusedGroups(workflow).includes(name);
  const made = withGraph(workflow, scope, unpacked(work));
  const gone = !unused && unusedGroups(made).includes(name);
  const { nodes, frames, notes } = work.ids;
  const items = [
    ...[...nodes.values()].map((id): Item => `n:${id}`),
    ...[...frames.values()].map((id): Item => `f:${id}`),
    ...[...notes.values()].map((id): Item => `t:${id}`),
  ];
  return { workflow: gone ? { ...made, groups: without(made.groups, [name]) } : made, items };
}

function freshIds(parts: object | undefined, taken: object | undefined): Map<string, string> {
  const ids = new Map<string, string>();
  const all: Record<string, unknown> = { ...taken };
  for (const id of Object.keys(parts ?? {})) {
    const fresh = Object.hasOwn(all, id) ? freshName(id.replace(/_\d+$/, ""), all) : id;
    all[fresh] = true;
    ids.set(id, fresh);
  }
  return ids;
}

function fedBy(group: Graph, call: NodeEntry, workflow: Workflow, library: Library): Fed[] {
  const fed = new Map<string, { place: InputPlace; names: string[]; inputs: readonly string[] }>();
  for (const [name, places] of Object.entries(group.inputs)) {
    const given = own(call.inputs, name) !== undefined;
    for (const { node, input } of placesOf(places)) {
      const entry = own(group.nodes, node);
      if (!entry) continue;
      const face = faceOf(node, entry, group, workflow, library);
      const today = inputOf(face, input)?.name ?? input;
      const was = face.spec?.inputs.find((port) => port.name === today)?.was ?? [];
      const key = placeKey(node, today);
      const known = fed.get(key);
      // What is given overrides what came before it; what is not may still be exposed further out.
      const names = given ? [name] : [...(known?.names ?? []), name];
      fed.set(key, { place: { node, input: today }, names, inputs: [today, ...was] });
    }
  }
  return [...fed.values()];
}

/** How far the nodes move: they come to lie around the middle of the call, from its top on. */
function offset(
  group: Graph,
  call: string,
  entry: NodeEntry,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Point {
  const items = itemsOf(group).filter((key) => key.startsWith("n:") || key.startsWith("f:"));
  const box = around(boxesOf(items, group, workflow, library).values());
  const layout = own(graph.layout.nodes, call);
  const at = layout?.at ?? [0, 0];
  const shape = geometry(entry, faceOf(call, entry, graph, workflow, library), layout);
  const { x, y, width } = box ?? EMPTY;
  const wide = at[0] + shape.width / 2 - (x + width / 2);
  // Half a step goes down, as `makeGroup` rounds it up.
  return [Math.ceil(wide / GRID - 0.5) * GRID, at[1] - Math.floor(y / GRID) * GRID];
}

const EMPTY: Box = { x: 0, y: 0, width: 0, height: 0 };

function unpacked(work: Unpacking): Graph {
  const { call, group } = work;
  const back = (link: LinkRef): LinkRef | null => (link.node === call ? inner(link, work) : link);
  // A link to an output that the group does not have led nowhere: it is pulled like any wire.
  const lost = (wiresFrom(work.graph).get(call) ?? []).filter(({ from }) => back(from) === null);
  const cut = disconnectAll(
    work.graph,
    lost.map((wire) => wire.key),
  );
  const graph = editNodes(cut, Object.keys(cut.nodes), (entry) =>
    entry.inputs && links(entry.inputs, call)
      ? { ...entry, inputs: relink(entry.inputs, back) }
      : entry,
  );
  const nodes: Record<string, NodeEntry> = { ...without(graph.nodes, [call]) };
  const layouts: Record<string, NodeLayout> = { ...without(graph.layout.nodes ?? {}, [call]) };
  // The call's own inputs may lead to itself, and are followed like those of any node.
  const given = graph.nodes[call]?.inputs ?? {};
  for (const [id, fresh] of work.ids.nodes) {
    const entry = own(group.nodes, id);
    if (!entry) continue;
    const made = innerNode(id, entry, given, work);
    nodes[fresh] = made.entry;
    layouts[fresh] = made.layout;
  }
  const outputs: [string, Graph["outputs"][string]][] = [];
  for (const [name, place] of Object.entries(graph.outputs)) {
    const link = back(place);
    if (link) outputs.push([name, link === place ? place : link]);
  }
  const inputs = shownInputs(work);
  const next = { ...graph, nodes, inputs, outputs: Object.fromEntries(outputs) };
  return dropReroutes(withLayout(next, { ...layoutParts(work, graph, given), nodes: layouts }));
}

const links = (inputs: Readonly<Record<string, Json>>, to: string): boolean =>
  Object.values(inputs).some((raw) => {
    const source = readInput(raw);
    if (source.kind === "link") return source.link.node === to;
    return source.kind === "links" && source.links.some((link) => link.node === to);
  });

/** The link that really gives an output of the call; null if nothing does. */
function inner(link: LinkRef, { group, ids }: Unpacking): LinkRef | null {
  const names = Object.keys(group.outputs);
  const [only] = names;
  const name = link.output || (names.length === 1 ? only : undefined);
  const place = name === undefined ? undefined : own(group.outputs, name);
  const node = place && ids.nodes.get(place.node);
  if (!place || node === undefined) return null;
  return place.output ? { node, output: place.output } : { node };
}

function innerNode(
  id: string,
  entry: NodeEntry,
  given: Readonly<Record<string, Json>>,
  work: Unpacking,
): { readonly entry: NodeEntry; readonly layout: NodeLayout } {
  const { group, ids, by } = work;
  // What named nothing in the group must not come to name a node outside of it.
  const rename = (link: LinkRef) => {
    const node = ids.nodes.get(link.node);
    return node === undefined ? null : { ...link, node };
  };
  const inputs = relink(entry.inputs ?? {}, rename);
  const before = own(group.layout.nodes, id) ?? { at: [0, 0] };
  const kept: Record<string, Json> = { ...before.kept };
  const seeds = { ...before.seeds };
  for (const { place, names, inputs: aliases } of work.fed) {
    const name = names.find((one) => own(given, one) !== undefined);
    const raw = name === undefined ? undefined : own(given, name);
    if (place.node !== id || name === undefined || raw === undefined) continue;
    const had = aliases.map((one) => own(inputs, one)).find((one) => one !== undefined);
    for (const alias of aliases) delete inputs[alias];
    inputs[place.input] = raw;
    const seed = own(work.layout?.seeds, name);
    if (seed) seeds[place.input] = seed;
    const literal = own(work.layout?.kept, name) ?? value(had) ?? own(kept, place.input);
    delete kept[place.input];
    if (readInput(raw).kind === "link" && literal !== undefined) kept[place.input] = literal;
  }
  const mode = modeOf(work.entry.mode, entry.mode);
  const { mode: _, inputs: __, ...rest } = entry;
  const { kept: ___, seeds: ____, ...layout } = before;
  return {
    entry: {
      ...rest,
      ...((entry.inputs || Object.keys(inputs).length > 0) && { inputs }),
      ...(mode && { mode }),
    },
    layout: {
      ...layout,
      at: [before.at[0] + by[0], before.at[1] + by[1]],
      ...(Object.keys(kept).length > 0 && { kept }),
      ...(Object.keys(seeds).length > 0 && { seeds }),
    },
  };
}

const value = (raw: Json | undefined): Json | undefined => {
  const source = raw === undefined ? null : readInput(raw);
  return source?.kind === "value" ? source.value : undefined;
};

/** As the engine: mute wins, then the call's mode, then the node's own. */
const modeOf = (
  outer: Mode | null | undefined,
  own: Mode | null | undefined,
): Mode | null | undefined => (outer === "mute" || own === "mute" ? "mute" : (outer ?? own));

/** What was exposed of the call is exposed of the nodes that it led to. */
function shownInputs({ graph, call, fed, ids }: Unpacking): Graph["inputs"] {
  const inputs: Record<string, InputPlace | readonly InputPlace[]> = {};
  for (const [name, places] of Object.entries(graph.inputs)) {
    const all = placesOf(places).flatMap((place) => {
      if (place.node !== call) return [place];
      return fed
        .filter(({ names }) => names.includes(place.input))
        .map((one) => ({ node: ids.nodes.get(one.place.node) ?? "", input: one.place.input }));
    });
    const [only] = all;
    if (only) inputs[name] = all.length === 1 ? only : all;
  }
  return inputs;
}

/** Frames, notes, reroutes and the ways of wires, the group's with the outer graph's. */
function layoutParts(
  work: Unpacking,
  { layout }: Graph,
  given: Readonly<Record<string, Json>>,
): Partial<Graph["layout"]> {
  const { group, call, fed, ids } = work;
  const wires: Record<string, readonly string[]> = {};
  const replaced = new Set<string>();
  for (const { place, names } of fed) {
    if (names.some((name) => own(given, name) !== undefined))
      replaced.add(placeKey(place.node, place.input));
  }
  for (const [key, via] of Object.entries(group.layout.wires ?? {})) {
    const { node, input, index } = wireEnd(key);
    const fresh = ids.nodes.get(node);
    if (fresh === undefined || replaced.has(placeKey(node, input))) continue;
    wires[wireKey({ node: fresh, input, index })] = via.flatMap((id) => ids.reroutes.get(id) ?? []);
  }
  for (const [key, via] of Object.entries(layout.wires ?? {})) {
    const end = wireEnd(key);
    if (end.node !== call) {
      wires[key] = via;
      continue;
    }
    for (const { place, names } of fed) {
      const fresh = ids.nodes.get(place.node);
      const counts = names.find((name) => own(given, name) !== undefined) === end.input;
      if (fresh !== undefined && counts) {
        wires[wireKey({ node: fresh, input: place.input, index: end.index })] = via;
      }
    }
  }
  const { frames, notes, reroutes } = group.layout;
  return {
    ...(ids.frames.size > 0 && {
      frames: { ...layout.frames, ...put(frames, ids.frames, work.by) },
    }),
    ...(ids.notes.size > 0 && { notes: { ...layout.notes, ...put(notes, ids.notes, work.by) } }),
    ...(ids.reroutes.size > 0 && {
      reroutes: { ...layout.reroutes, ...put(reroutes, ids.reroutes, work.by) },
    }),
    ...((layout.wires || group.layout.wires) && { wires }),
  };
}

function put<T extends { readonly at: Point }>(
  parts: Readonly<Record<string, T>> | undefined,
  ids: ReadonlyMap<string, string>,
  [dx, dy]: Point,
): Record<string, T> {
  const next: Record<string, T> = {};
  for (const [id, fresh] of ids) {
    const part = own(parts, id);
    if (part) next[fresh] = { ...part, at: [part.at[0] + dx, part.at[1] + dy] };
  }
  return next;
}
