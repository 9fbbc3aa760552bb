/** Sockets of a graph, and those that a wire which begins at one of them may lead to. */

import { type Geometry, geometry, inputPoint, outputPoint } from "./geometry";
import { readInput } from "./inputs";
import { isVariable, itemType, outputType, refuse } from "./joins";
import { faceOf, type Library } from "./library";
import { titleOf } from "./titles";
import { type Graph, type LinkRef, own, type Point, type Workflow } from "./types";

export interface Socket {
  readonly node: string;
  readonly side: "input" | "output";
  readonly name: string;
  /** Which link of an input that grows; null for all others. */
  readonly index: number | null;
}

/** A socket at which a wire might end. */
export interface Candidate {
  readonly socket: Socket;
  /** What its node is called. */
  readonly title: string;
  /** What it is called itself: `image`, or `images 2`. */
  readonly label: string;
  readonly type: string;
  /** Why the wire may not be, as a sentence; null if it may. */
  readonly refusal: string | null;
  /** What the node is called whose wire it would take the place of; null if it is free. */
  readonly replaces: string | null;
}

export const socketLabel = ({ name, index }: Socket): string =>
  index === null ? name : `${name} ${index + 1}`;

interface Placed {
  readonly at: Point;
  readonly shape: Geometry;
}

function placed(id: string, graph: Graph, workflow: Workflow, library: Library): Placed | null {
  const entry = own(graph.nodes, id);
  if (!entry) return null;
  const layout = own(graph.layout.nodes, id);
  const face = faceOf(id, entry, graph, workflow, library);
  return { at: layout?.at ?? [0, 0], shape: geometry(entry, face, layout) };
}

/** The sockets of a node from top to bottom, outputs first; none if it is gone. */
export function socketsOf(
  node: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Socket[] {
  const shape = placed(node, graph, workflow, library)?.shape;
  if (!shape) return [];
  return [
    ...shape.outputs.map(({ name }): Socket => ({ node, side: "output", name, index: null })),
    ...shape.inputs.map(
      ({ port, index }): Socket => ({ node, side: "input", name: port.name, index }),
    ),
  ];
}

/** Where a socket lies on the canvas; null if its node is gone. */
export function socketPoint(
  socket: Socket,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Point | null {
  const found = placed(socket.node, graph, workflow, library);
  if (!found) return null;
  return socket.side === "output"
    ? outputPoint(found.at, found.shape, socket.name)
    : inputPoint(found.at, found.shape, socket.name, socket.index);
}

/** The type of a socket: of an output the one that it really has. */
export function socketType(
  { node, side, name }: Socket,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): string {
  if (side === "output") return outputType({ node, output: name }, graph, workflow, library);
  const shape = placed(node, graph, workflow, library)?.shape;
  return shape?.inputs.find(({ port }) => port.name === name)?.port.type ?? "any";
}

/** The output from which a wire comes that ends in an input; null if none does. */
export function sourceOf(graph: Graph, { node, side, name, index }: Socket): LinkRef | null {
  const raw = own(own(graph.nodes, node)?.inputs, name);
  if (side === "output" || raw === undefined) return null;
  const source = readInput(raw);
  if (source.kind === "link") return index ? null : source.link;
  return source.kind === "links" ? (source.links[index ?? 0] ?? null) : null;
}

/**
 * The sockets of other nodes on the side that a wire from `start` leads to: free ones that fit, the
 * nearest first, then those that take anything, then those that have a wire, then those that refuse.
 */
export function candidates(
  start: Socket,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Candidate[] {
  const from = socketPoint(start, graph, workflow, library);
  const present = sourceOf(graph, start);
  const found: { readonly candidate: Candidate; readonly far: number; readonly rank: number }[] =
    [];
  for (const node of Object.keys(graph.nodes)) {
    if (node === start.node) continue;
    const title = titleOf(node, graph, workflow, library);
    for (const socket of socketsOf(node, graph, workflow, library)) {
      if (socket.side === start.side) continue;
      if (present?.node === node && (present.output ?? socket.name) === socket.name) continue;
      const [output, input] = start.side === "output" ? [start, socket] : [socket, start];
      const link = { node: output.node, output: output.name };
      const refusal = refuse(graph, workflow, library, link, { ...input, input: input.name });
      const held = sourceOf(graph, socket);
      if (held && held.node === start.node && (held.output ?? start.name) === start.name) continue;
      const type = socketType(socket, graph, workflow, library);
      const candidate: Candidate = {
        socket,
        title,
        label: socketLabel(socket),
        type,
        refusal,
        replaces: held && titleOf(held.node, graph, workflow, library),
      };
      const at = socketPoint(socket, graph, workflow, library);
      const far = from && at ? Math.hypot(at[0] - from[0], at[1] - from[1]) : 0;
      found.push({ candidate, far, rank: rankOf(candidate) });
    }
  }
  found.sort((a, b) => a.rank - b.rank || a.far - b.far);
  return found.map(({ candidate }) => candidate);
}

function rankOf({ refusal, replaces, type }: Candidate): number {
  if (refusal !== null) return 3;
  if (replaces !== null) return 2;
  return isVague(type) ? 1 : 0;
}

const isVague = (type: string): boolean => {
  const inner = itemType(type);
  return inner === null ? type === "any" || isVariable(type) : isVague(inner);
};

/** The socket of a node that most likely waits for a wire: a required input without one, else the first. */
export function waitingSocket(
  node: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Socket | null {
  const entry = own(graph.nodes, node);
  const all = socketsOf(node, graph, workflow, library);
  if (!entry) return null;
  const waits = faceOf(node, entry, graph, workflow, library).inputs.find(
    ({ name, required, schema }) =>
      required && schema === null && own(entry.inputs, name) === undefined,
  );
  const found = all.find(({ side, name }) => side === "input" && name === waits?.name);
  return found ?? all[0] ?? null;
}
