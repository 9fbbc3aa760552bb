/** Where the edge of a group-to-be is crossed: by wires, and by what the outer graph exposes. */

import { freshName } from "./edits";
import { placesOf, readInput } from "./inputs";
import { faceOf, type Library, outputOf } from "./library";
import { flowOrder } from "./order";
import {
  type Graph,
  type InputPlace,
  type Json,
  type LinkRef,
  type OutputPlace,
  own,
  type Workflow,
} from "./types";

/** An input of the group: all its places have the same source, and are exposed as the same. */
interface Inlet {
  readonly name: string;
  readonly places: readonly InputPlace[];
  /** What the call gives; undefined if only the outer graph's own exposed inputs lead there. */
  readonly raw: Json | undefined;
}

export interface Edges {
  readonly inlets: readonly Inlet[];
  /** The inlet of a place, by `placeKey`. */
  readonly inletOf: ReadonlyMap<string, Inlet>;
  readonly outputs: Readonly<Record<string, OutputPlace>>;
  /** The group's output that stands for an output of a moved node. */
  readonly outlet: (link: LinkRef) => string;
}

export const placeKey = (node: string, input: string): string => JSON.stringify([node, input]);

/** What a group of the nodes `moved` has to show to the outside. */
export function edgesOf(
  graph: Graph,
  moved: ReadonlySet<string>,
  workflow: Workflow,
  library: Library,
): Edges {
  const full = (link: LinkRef) => fullOutput(link, graph, workflow, library);
  const outputs = outletsOf(graph, moved, full);
  const classes = new Map<string, { places: InputPlace[]; raw: Json | undefined }>();
  for (const { place, raw, shown } of crossed(graph, moved)) {
    const key = JSON.stringify([sourceKey(raw, full), shown]);
    const known = classes.get(key);
    if (known) known.places.push(place);
    else classes.set(key, { places: [place], raw });
  }
  const taken: Record<string, true> = {};
  const inletOf = new Map<string, Inlet>();
  const inlets = [...classes.values()].map(({ places, raw }): Inlet => {
    const name = freshName(places[0]?.input ?? "input", taken);
    taken[name] = true;
    const inlet = { name, places, raw };
    for (const { node, input } of places) inletOf.set(placeKey(node, input), inlet);
    return inlet;
  });
  const outlet = (link: LinkRef) => outputs.names.get(full(link)) ?? "";
  return { inlets, inletOf, outputs: outputs.outputs, outlet };
}

interface Crossed {
  readonly place: InputPlace;
  /** The links that come from outside, perhaps with some from inside among them. */
  readonly raw: Json | undefined;
  /** The names under which the outer graph exposes it. */
  readonly shown: readonly string[];
}

/** The inputs of moved nodes that something outside leads to, in the order of the flow. */
function* crossed(graph: Graph, moved: ReadonlySet<string>): Iterable<Crossed> {
  const shown = new Map<string, { place: InputPlace; names: string[] }>();
  for (const [name, places] of Object.entries(graph.inputs)) {
    for (const place of placesOf(places)) {
      if (!moved.has(place.node)) continue;
      const key = placeKey(place.node, place.input);
      const known = shown.get(key) ?? { place, names: [] };
      known.names.push(name);
      shown.set(key, known);
    }
  }
  for (const id of flowOrder(graph)) {
    if (!moved.has(id)) continue;
    for (const [input, raw] of Object.entries(own(graph.nodes, id)?.inputs ?? {})) {
      const source = readInput(raw);
      const links =
        source.kind === "link" ? [source.link] : source.kind === "links" ? source.links : [];
      const key = placeKey(id, input);
      const outer = links.some((link) => !moved.has(link.node));
      const names = shown.get(key)?.names;
      if (!outer && !names) continue;
      shown.delete(key);
      yield { place: { node: id, input }, raw: outer ? raw : undefined, shown: names ?? [] };
    }
  }
  for (const { place, names } of shown.values()) yield { place, raw: undefined, shown: names };
}

/** Two inputs have the same source if these are equal. */
function sourceKey(raw: Json | undefined, full: (link: LinkRef) => string): Json {
  const source = raw === undefined ? null : readInput(raw);
  if (source?.kind === "link") return full(source.link);
  return source?.kind === "links" ? source.links.map(full) : null;
}

/** A link with its output's whole name, as a key: an output that is not named is the only one. */
function fullOutput(link: LinkRef, graph: Graph, workflow: Workflow, library: Library): string {
  return placeKey(link.node, outputName(link, graph, workflow, library));
}

function outputName(link: LinkRef, graph: Graph, workflow: Workflow, library: Library): string {
  const entry = own(graph.nodes, link.node);
  const face = entry && faceOf(link.node, entry, graph, workflow, library);
  // The ports of an unknown type are those that are in use, and not all there are.
  if (!face || face.unknown) return link.output ?? "";
  return outputOf(face, link.output)?.name ?? link.output ?? "";
}

/** The outputs that the outside takes, or that go around it into a list with outer links. */
function outletsOf(
  graph: Graph,
  moved: ReadonlySet<string>,
  full: (link: LinkRef) => string,
): { readonly outputs: Record<string, OutputPlace>; readonly names: ReadonlyMap<string, string> } {
  const outputs: Record<string, OutputPlace> = {};
  const names = new Map<string, string>();
  const need = (link: LinkRef) => {
    const key = full(link);
    if (names.has(key)) return;
    const [node = "", output = ""] = JSON.parse(key) as [string, string];
    const name = freshName(output || node, outputs);
    names.set(key, name);
    outputs[name] = link.output ? { node, output: link.output } : { node };
  };
  for (const id of flowOrder(graph)) {
    for (const raw of Object.values(own(graph.nodes, id)?.inputs ?? {})) {
      const source = readInput(raw);
      if (source.kind === "value") continue;
      const links = source.kind === "link" ? [source.link] : source.links;
      const outer = !moved.has(id) || links.some((link) => !moved.has(link.node));
      if (outer) for (const link of links) if (moved.has(link.node)) need(link);
    }
  }
  for (const place of Object.values(graph.outputs)) if (moved.has(place.node)) need(place);
  return { outputs, names };
}
