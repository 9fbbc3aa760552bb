/** Documents that know nodes, inputs and outputs by earlier names, in today's. */

import { withLayout } from "./edits";
import { linkJson, placesOf, readInput, wireEnd, wireKey } from "./inputs";
import { type Library, specOf } from "./library";
import { withGroup } from "./scope";
import {
  type Graph,
  type InputPlace,
  type Json,
  type LinkRef,
  type NodeEntry,
  type NodeLayout,
  type OutputPlace,
  own,
  type Workflow,
} from "./types";

/**
 * The document in today's names, which computes the same; the same document if it has no others.
 * An earlier name of an input is left alone where today's is there too, as the engine refuses that.
 */
export function withTodaysNames(workflow: Workflow, library: Library): Workflow {
  let next = workflow;
  for (const name of [null, ...Object.keys(workflow.groups)]) {
    const graph = name === null ? workflow : workflow.groups[name];
    if (!graph) continue;
    const renamed = graphToday(graph, library);
    if (renamed !== graph) next = withGroup(next, name, renamed);
  }
  return next;
}

function graphToday(graph: Graph, library: Library): Graph {
  if (!Object.keys(graph.nodes).some((id) => hasEarlier(id, graph, library))) return graph;
  const input = (node: string, name: string) => inputToday(own(graph.nodes, node), name, library);
  const link = (from: LinkRef) => linkToday(from, graph, library);
  const nodes: Record<string, NodeEntry> = {};
  const layouts: Record<string, NodeLayout> = { ...graph.layout.nodes };
  for (const [id, entry] of Object.entries(graph.nodes)) {
    const type = specOf(library, entry.type)?.id ?? entry.type;
    const inputs = Object.entries(entry.inputs ?? {}).map(
      ([name, raw]) => [input(id, name), relinked(raw, link)] as const,
    );
    nodes[id] = { ...entry, type, ...(entry.inputs && { inputs: Object.fromEntries(inputs) }) };
    const layout = layouts[id];
    if (layout) layouts[id] = layoutToday(layout, (name) => input(id, name));
  }
  const place = (one: InputPlace) => ({ ...one, input: input(one.node, one.input) });
  const inputs: Record<string, InputPlace | readonly InputPlace[]> = {};
  for (const [name, places] of Object.entries(graph.inputs)) {
    const all = placesOf(places).map(place);
    const [only] = all;
    inputs[name] = Array.isArray(places) || !only ? all : only;
  }
  const outputs: Record<string, OutputPlace> = {};
  for (const [name, from] of Object.entries(graph.outputs))
    outputs[name] = { ...from, ...link(from) };
  const wires = Object.entries(graph.layout.wires ?? {}).map(([key, via]) => {
    const end = wireEnd(key);
    return [wireKey({ ...end, input: input(end.node, end.input) }), via] as const;
  });
  return withLayout(
    { ...graph, nodes, inputs, outputs },
    {
      ...(graph.layout.nodes && { nodes: layouts }),
      ...(graph.layout.wires && { wires: Object.fromEntries(wires) }),
    },
  );
}

/** Whether anything of a node has another name today: itself, or what it has or gives. */
function hasEarlier(id: string, graph: Graph, library: Library): boolean {
  const entry = graph.nodes[id];
  const spec = entry && specOf(library, entry.type);
  if (!spec) return false;
  if (spec.id !== entry.type) return true;
  return [...spec.inputs, ...spec.outputs].some((port) => port.was.length > 0);
}

function inputToday(entry: NodeEntry | undefined, name: string, library: Library): string {
  const spec = entry && specOf(library, entry.type);
  if (!spec || spec.inputs.some((port) => port.name === name)) return name;
  const today = spec.inputs.find((port) => port.was.includes(name))?.name;
  return today === undefined || own(entry.inputs, today) !== undefined ? name : today;
}

function linkToday(from: LinkRef, graph: Graph, library: Library): LinkRef {
  const entry = own(graph.nodes, from.node);
  const spec = entry && specOf(library, entry.type);
  const { output } = from;
  if (!spec || !output || spec.outputs.some((port) => port.name === output)) return from;
  const today = spec.outputs.find((port) => port.was.includes(output))?.name;
  return today === undefined ? from : { node: from.node, output: today };
}

function relinked(raw: Json, change: (link: LinkRef) => LinkRef): Json {
  const source = readInput(raw);
  if (source.kind === "link") return linkJson(change(source.link));
  return source.kind === "links" ? source.links.map((link) => linkJson(change(link))) : raw;
}

function layoutToday(layout: NodeLayout, rename: (name: string) => string): NodeLayout {
  const keys = <T>(part: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(part).map(([name, value]) => [rename(name), value]));
  const { kept, heights, seeds } = layout;
  return {
    ...layout,
    ...(kept && { kept: keys(kept) }),
    ...(heights && { heights: keys(heights) }),
    ...(seeds && { seeds: keys(seeds) }),
  };
}
