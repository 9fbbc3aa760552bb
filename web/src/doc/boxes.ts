/** Where the things of a graph lie, as boxes. */

import { type Box, geometry, REROUTE } from "./geometry";
import { faceOf, type Library } from "./library";
import { type Graph, type Item, idOf, kindOf, own, type Point, type Workflow } from "./types";

/** The box of a node, frame, note or reroute; null for wires and for what is gone. */
export function boxOf(key: Item, graph: Graph, workflow: Workflow, library: Library): Box | null {
  const id = idOf(key);
  const { layout } = graph;
  switch (kindOf(key)) {
    case "n":
      return nodeBox(id, graph, workflow, library);
    case "f":
      return sized(own(layout.frames, id));
    case "t":
      return sized(own(layout.notes, id));
    case "r": {
      const reroute = own(layout.reroutes, id);
      return reroute ? dot(reroute.at) : null;
    }
    default:
      return null;
  }
}

function nodeBox(id: string, graph: Graph, workflow: Workflow, library: Library): Box | null {
  const entry = own(graph.nodes, id);
  if (!entry) return null;
  const layout = own(graph.layout.nodes, id);
  const face = faceOf(id, entry, graph, workflow, library);
  const { width, height } = geometry(entry, face, layout);
  const [x, y] = layout?.at ?? [0, 0];
  return { x, y, width, height };
}

const sized = (part: { readonly at: Point; readonly size: Point } | undefined): Box | null =>
  part ? { x: part.at[0], y: part.at[1], width: part.size[0], height: part.size[1] } : null;

const dot = ([x, y]: Point): Box => ({ x, y, width: REROUTE, height: REROUTE });

/** The boxes of some things, those that have one. */
export function boxesOf(
  items: Iterable<Item>,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Map<Item, Box> {
  const boxes = new Map<Item, Box>();
  for (const key of items) {
    const box = boxOf(key, graph, workflow, library);
    if (box) boxes.set(key, box);
  }
  return boxes;
}

/** Everything in a graph that has a place. */
export function itemsOf(graph: Graph): Item[] {
  const { frames, notes, reroutes } = graph.layout;
  return [
    ...Object.keys(graph.nodes).map((id): Item => `n:${id}`),
    ...Object.keys(frames ?? {}).map((id): Item => `f:${id}`),
    ...Object.keys(notes ?? {}).map((id): Item => `t:${id}`),
    ...Object.keys(reroutes ?? {}).map((id): Item => `r:${id}`),
  ];
}

export const centreOf = (box: Box): Point => [box.x + box.width / 2, box.y + box.height / 2];

export const holds = (box: Box, [x, y]: Point): boolean =>
  x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;

/** Whether a box lies wholly in another. */
export const within = (inner: Box, outer: Box): boolean =>
  holds(outer, [inner.x, inner.y]) && holds(outer, [inner.x + inner.width, inner.y + inner.height]);

/** Whether two boxes have a point in common. */
export const touch = (one: Box, other: Box): boolean =>
  one.x <= other.x + other.width &&
  one.y <= other.y + other.height &&
  one.x + one.width >= other.x &&
  one.y + one.height >= other.y;
