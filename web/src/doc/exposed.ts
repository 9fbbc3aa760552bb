/** What a graph shows to the outside: the workflow's form, and the ports of a group's calls. */

import {
  disconnectAll,
  dropReroutes,
  editNodes,
  freshName,
  relink,
  withLayout,
  without,
} from "./edits";
import { placesOf, wireEnd, wireKey, wiresFrom } from "./inputs";
import { ordered } from "./library";
import { graphAt, groupAt, groupOf, type Scope, withGroup } from "./scope";
import {
  type Graph,
  type InputPlace,
  type LinkRef,
  type NodeEntry,
  type NodeLayout,
  own,
  type Workflow,
} from "./types";

export type Side = "inputs" | "outputs";

/** The names under which an input is exposed. */
export const exposedNames = (graph: Graph, node: string, input: string): string[] =>
  Object.keys(graph.inputs).filter((name) =>
    placesOf(graph.inputs[name] ?? []).some((one) => one.node === node && one.input === input),
  );

/** The names under which an output is exposed. */
export const exposedOutputs = (graph: Graph, node: string, output: string | undefined): string[] =>
  Object.keys(graph.outputs).filter((name) => {
    const place = graph.outputs[name];
    return place?.node === node && (place.output ?? "") === (output ?? "");
  });

/**
 * Show an input to the outside; as `name` if that is given, which then feeds one place more if it
 * was there. Without a name an input that is shown already stays as it is.
 */
export function expose(graph: Graph, node: string, input: string, name?: string): Graph {
  const shown = exposedNames(graph, node, input);
  if (name === undefined ? shown.length > 0 : shown.includes(name)) return graph;
  const key = name ?? freshName(input, graph.inputs);
  const places = [...placesOf(own(graph.inputs, key) ?? []), { node, input }];
  return withExposed(graph, "inputs", key, places.length === 1 ? { node, input } : places);
}

/** Show an output to the outside, under a name of its own. */
export function exposeOutput(
  graph: Graph,
  node: string,
  output: string | undefined,
  name?: string,
): Graph {
  if (name === undefined && exposedOutputs(graph, node, output).length > 0) return graph;
  const key = name ?? freshName(output || node, graph.outputs);
  return withExposed(graph, "outputs", key, output ? { node, output } : { node });
}

/** A name that is new comes last in the order that people see. */
function withExposed<S extends Side>(
  graph: Graph,
  side: S,
  name: string,
  place: Graph[S][string],
): Graph {
  const names = ordered(graph[side], graph.layout[side]);
  const next = { ...graph, [side]: { ...graph[side], [name]: place } };
  return names.includes(name) ? next : withLayout(next, { [side]: [...names, name] });
}

/** The order in which exposed inputs or outputs are shown; those that are left out come last. */
export const reorderExposed = (graph: Graph, side: Side, names: readonly string[]): Graph =>
  withLayout(graph, { [side]: ordered(graph[side], names) });

/** No longer show an input or output; calls of the group lose what they gave it or took from it. */
export function unexpose(workflow: Workflow, scope: Scope, side: Side, name: string): Workflow {
  const graph = graphAt(workflow, scope);
  if (!own<unknown>(graph[side], name)) return workflow;
  const order = graph.layout[side]?.filter((one) => one !== name);
  const cut = { ...graph, [side]: without<unknown>(graph[side], [name]) } as Graph;
  const next = order ? withLayout(cut, { [side]: order }) : cut;
  const group = groupAt(workflow, scope) ?? null;
  const made = withGroup(workflow, group, next);
  return group === null ? made : withCalls(made, group, side, (one) => (one === name ? null : one));
}

/**
 * Give an exposed input or output another name, here and in all calls of the group. Nothing happens
 * if the name is taken.
 */
export function renameExposed(
  workflow: Workflow,
  scope: Scope,
  side: Side,
  from: string,
  to: string,
): Workflow {
  const graph = graphAt(workflow, scope);
  if (!own<unknown>(graph[side], from) || Object.hasOwn(graph[side], to) || to === "") {
    return workflow;
  }
  const swap = (name: string) => (name === from ? to : name);
  const renamed = { ...graph, [side]: renamedKeys<unknown>(graph[side], swap) } as Graph;
  const next = withLayout(renamed, { [side]: ordered(graph[side], graph.layout[side]).map(swap) });
  const group = groupAt(workflow, scope) ?? null;
  const made = withGroup(workflow, group, next);
  return group === null ? made : withCalls(made, group, side, swap);
}

/** Take out of all calls of a group what names an input or output that the group no longer has. */
export function pruneCalls(workflow: Workflow, group: string): Workflow {
  const graph = own(workflow.groups, group);
  if (!graph) return workflow;
  const kept = (side: Side) => (name: string) => (Object.hasOwn(graph[side], name) ? name : null);
  return withCalls(
    withCalls(workflow, group, "inputs", kept("inputs")),
    group,
    "outputs",
    kept("outputs"),
  );
}

/** What a name of a group's port becomes; null if it is gone. */
type Rename = (name: string) => string | null;

/** A document in which all calls of a group name its ports differently. */
function withCalls(workflow: Workflow, group: string, side: Side, rename: Rename): Workflow {
  let next = workflow;
  const gives = Object.keys(own(workflow.groups, group)?.outputs ?? {}).length > 0;
  for (const name of [null, ...Object.keys(workflow.groups)]) {
    const graph = name === null ? next : next.groups[name];
    if (!graph) continue;
    const calls = new Set(
      Object.keys(graph.nodes).filter((id) => groupOf(graph.nodes[id]?.type ?? "") === group),
    );
    if (calls.size === 0) continue;
    const made =
      side === "inputs" ? inputsOf(graph, calls, rename) : takersOf(graph, calls, rename, gives);
    next = withGroup(next, name, made);
  }
  return next;
}

/** A graph in which calls have other input names, with all that the layout knows by them. */
function inputsOf(graph: Graph, calls: ReadonlySet<string>, rename: Rename): Graph {
  const nodes: Record<string, NodeEntry> = { ...graph.nodes };
  const layouts: Record<string, NodeLayout> = { ...graph.layout.nodes };
  for (const id of calls) {
    const entry = nodes[id];
    if (!entry) continue;
    nodes[id] = {
      ...entry,
      ...(entry.inputs && { inputs: renamedKeys(entry.inputs, rename) }),
      ...(entry.repeat?.feed && {
        repeat: { ...entry.repeat, feed: renamedValues(entry.repeat.feed, rename) },
      }),
    };
    const layout = layouts[id];
    if (layout) layouts[id] = renamedLayout(layout, rename);
  }
  const inputs = renamedPlaces(graph.inputs, calls, rename);
  const next = { ...graph, nodes, inputs, layout: { ...graph.layout, nodes: layouts } };
  if (!graph.layout.wires) return next;
  return dropReroutes(withLayout(next, { wires: renamedWires(graph, calls, rename) }));
}

function renamedLayout(layout: NodeLayout, rename: Rename): NodeLayout {
  const { kept, heights, seeds } = layout;
  return {
    ...layout,
    ...(kept && { kept: renamedKeys(kept, rename) }),
    ...(heights && { heights: renamedKeys(heights, rename) }),
    ...(seeds && { seeds: renamedKeys(seeds, rename) }),
  };
}

function renamedPlaces(
  inputs: Graph["inputs"],
  calls: ReadonlySet<string>,
  rename: Rename,
): Graph["inputs"] {
  const next: [string, InputPlace | readonly InputPlace[]][] = [];
  for (const [name, places] of Object.entries(inputs)) {
    const all = placesOf(places).flatMap((place) => {
      const input = calls.has(place.node) ? rename(place.input) : place.input;
      return input === null ? [] : [input === place.input ? place : { ...place, input }];
    });
    const [first] = all;
    if (first) next.push([name, all.length === 1 && !Array.isArray(places) ? first : all]);
  }
  return Object.fromEntries(next);
}

function renamedWires(graph: Graph, calls: ReadonlySet<string>, rename: Rename) {
  const wires: [string, readonly string[]][] = [];
  for (const [key, via] of Object.entries(graph.layout.wires ?? {})) {
    const end = wireEnd(key);
    const input = calls.has(end.node) ? rename(end.input) : end.input;
    if (input !== null) wires.push([wireKey({ ...end, input }), via]);
  }
  return Object.fromEntries(wires);
}

/**
 * A graph in which what takes outputs of calls, or repeats by them, names them differently.
 *
 * @param gives The group has outputs: else a link that names none, and means the only one, is gone.
 */
function takersOf(graph: Graph, calls: ReadonlySet<string>, rename: Rename, gives: boolean): Graph {
  const change = (link: LinkRef): LinkRef | null => {
    if (!calls.has(link.node)) return link;
    if (!link.output) return gives ? link : null;
    const output = rename(link.output);
    return output === null ? null : { ...link, output };
  };
  const leaving = [...calls].flatMap((id) => wiresFrom(graph).get(id) ?? []);
  const gone = leaving.filter((wire) => change(wire.from) === null).map((wire) => wire.key);
  const takers = leaving.map((wire) => wire.to.node);
  let next = editNodes(disconnectAll(graph, gone), takers, (entry) => ({
    ...entry,
    ...(entry.inputs && { inputs: relink(entry.inputs, change) }),
  }));
  next = editNodes(next, calls, (entry) =>
    entry.repeat ? { ...entry, repeat: renamedRepeat(entry.repeat, rename) } : entry,
  );
  const outputs: [string, Graph["outputs"][string]][] = [];
  for (const [name, place] of Object.entries(graph.outputs)) {
    const link = change(place);
    if (link) outputs.push([name, { ...place, ...link }]);
  }
  return { ...next, outputs: Object.fromEntries(outputs) };
}

function renamedRepeat(
  repeat: NonNullable<NodeEntry["repeat"]>,
  rename: Rename,
): NonNullable<NodeEntry["repeat"]> {
  const { until, feed, ...rest } = repeat;
  const named = typeof until === "string" ? rename(until) : null;
  return {
    ...rest,
    ...(named !== null && { until: named }),
    ...(feed && { feed: renamedKeys(feed, rename) }),
  };
}

function renamedKeys<T>(record: Readonly<Record<string, T>>, rename: Rename): Record<string, T> {
  const pairs = Object.entries(record).map(([name, part]) => [rename(name), part] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, T] => pair[0] !== null));
}

function renamedValues(
  record: Readonly<Record<string, string>>,
  rename: Rename,
): Record<string, string> {
  const pairs = Object.entries(record).map(([name, part]) => [name, rename(part)] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== null));
}
