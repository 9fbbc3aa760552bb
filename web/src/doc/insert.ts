/** Nodes that fit: into a wire, or to a socket that was pulled. */

import type { NodeSpec } from "../gen/nodes";
import { connect, disconnect } from "./edits";
import { readInput, wiresOf } from "./inputs";
import { isVariable, joinOf, joins, loops, outputType, refuse } from "./joins";
import {
  type Face,
  faceOf,
  type InputFace,
  inputOf,
  type Library,
  type OutputFace,
  placeable,
} from "./library";
import { viaOf } from "./reroutes";
import { type Graph, type Json, own, type Workflow } from "./types";

/** The inputs of a face that an output of some type may enter, as they are declared. */
export const fittingInputs = (face: Face, type: string): InputFace[] =>
  face.inputs.filter((port) => joins(type, port.type));

/** The outputs of a face that may enter an input of some type. */
export const fittingOutputs = (face: Face, type: string): OutputFace[] =>
  face.outputs.filter((port) => joins(port.type, type));

/**
 * Put a node between the two ends of a wire, by its first free input and its first output that fit.
 * Null if it does not fit, or if it would close a loop. Reroutes stay on the side that they lie on.
 */
export function insertOnWire(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  node: string,
  key: string,
): Graph | null {
  const wire = wiresOf(graph).find((one) => one.key === key);
  const entry = own(graph.nodes, node);
  if (!wire || !entry || wire.from.node === node || wire.to.node === node) return null;
  const face = faceOf(node, entry, graph, workflow, library);
  const free = face.inputs.filter((port) => port.grows || !isLinked(entry.inputs?.[port.name]));
  const cut = disconnect(graph, key);
  const input = free.find((port) => {
    const to = { node, input: port.name };
    return refuse(cut, workflow, library, wire.from, to) === null;
  });
  if (!input) return null;
  const [near, far] = splitVia(graph, key, graph.layout.nodes?.[node]?.at[0] ?? 0);
  // Drawn before the wire is cut, so that a list of links keeps its order and its literals.
  const begun = connect(
    graph,
    wire.from,
    { node, input: input.name, index: null, grows: input.grows },
    near,
  );
  const target = targetFace(graph, workflow, library, wire.to.node);
  const wanted = (target && inputOf(target, wire.to.input)?.type) ?? "any";
  const output = face.outputs.find((port) => {
    const type = outputType({ node, output: port.name }, begun, workflow, library);
    return joins(type, wanted);
  });
  if (!output || loops(cut, node, wire.to.node)) return null;
  return connect(begun, { node, output: output.name }, wire.to, far);
}

const isLinked = (raw: Json | undefined): boolean =>
  raw !== undefined && readInput(raw).kind !== "value";

function targetFace(graph: Graph, workflow: Workflow, library: Library, id: string): Face | null {
  const entry = own(graph.nodes, id);
  return entry ? faceOf(id, entry, graph, workflow, library) : null;
}

/** A wire's reroutes left of a place, and the rest of them, unless other wires pass those too. */
function splitVia(
  graph: Graph,
  key: string,
  x: number,
): readonly [readonly string[], readonly string[]] {
  const via = viaOf(graph, key);
  const right = via.findIndex((id) => (graph.layout.reroutes?.[id]?.at[0] ?? 0) > x);
  const place = right < 0 ? via.length : right;
  const others = Object.entries(graph.layout.wires ?? {}).filter(([other]) => other !== key);
  const taken = new Set(others.flatMap(([, passed]) => passed));
  return [via.slice(0, place), via.slice(place).filter((id) => !taken.has(id))];
}

export interface Fit {
  readonly spec: NodeSpec;
  /** The first port that fits. */
  readonly port: string;
  /** As the same type, as it is, by taking a list apart or making one, or since it takes anything. */
  readonly how: "exact" | "direct" | "list" | "any";
}

const HOW = ["exact", "direct", "list", "any"] as const;

/**
 * The nodes to offer for a wire that was dropped on nothing: those that take `type`
 * (the wire comes "from" an output), or that give it (it leads "to" an input). Those that fit as they are come first, then
 * those that take a list apart or make one, then those that take anything.
 */
export function fittingNodes(
  library: Library,
  { type, direction }: { readonly type: string; readonly direction: "from" | "to" },
): Fit[] {
  const fits: (Fit & { readonly rank: number })[] = [];
  for (const spec of placeable(library)) {
    const ports = direction === "from" ? spec.inputs : spec.outputs;
    let best: (Fit & { readonly rank: number }) | null = null;
    for (const port of ports) {
      const how = direction === "from" ? joinOf(type, port.type) : joinOf(port.type, type);
      if (how === null) continue;
      const vague = isVariable(port.type) || /^(list\[)*any\]*$/.test(port.type);
      const rank = port.type === type ? 0 : vague ? 3 : how === "direct" ? 1 : 2;
      if (!best || rank < best.rank) best = { spec, port: port.name, how: HOW[rank], rank };
    }
    if (best) fits.push(best);
  }
  fits.sort((a, b) => a.rank - b.rank || a.spec.title.localeCompare(b.spec.title));
  return fits.map(({ spec, port, how }) => ({ spec, port, how }));
}
