/** Putting things in line. */

import { boxesOf } from "./boxes";
import { GRID, place } from "./edits";
import { isPinned } from "./frames";
import { around, type Box } from "./geometry";
import type { Library } from "./library";
import type { Graph, Item, Point, Workflow } from "./types";

export type Edge = "left" | "right" | "top" | "bottom" | "centre" | "middle";
type Axis = "across" | "down";

/** The nearest point of the grid. */
export const snap = ([x, y]: Point, grid = GRID): Point => [
  Math.round(x / grid) * grid,
  Math.round(y / grid) * grid,
];

/** Move things so that their edges, or their middles, are in line; what is pinned stays. */
export function align(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  items: Iterable<Item>,
  edge: Edge,
): Graph {
  const boxes = boxesOf(items, graph, workflow, library);
  const all = around(boxes.values());
  if (!all || boxes.size < 2) return graph;
  const places = new Map<Item, Point>();
  for (const [key, box] of boxes) {
    if (!isPinned(graph, key)) places.set(key, aligned(box, all, edge));
  }
  return place(graph, places);
}

function aligned(box: Box, all: Box, edge: Edge): Point {
  switch (edge) {
    case "left":
      return [all.x, box.y];
    case "right":
      return [all.x + all.width - box.width, box.y];
    case "centre":
      return [Math.round(all.x + (all.width - box.width) / 2), box.y];
    case "top":
      return [box.x, all.y];
    case "bottom":
      return [box.x, all.y + all.height - box.height];
    default:
      return [box.x, Math.round(all.y + (all.height - box.height) / 2)];
  }
}

/** Let the gaps between things be equal; the first and the last stay, and so does what is pinned. */
export function distribute(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  items: Iterable<Item>,
  axis: Axis,
): Graph {
  const [from, size] = axis === "across" ? (["x", "width"] as const) : (["y", "height"] as const);
  const boxes = [...boxesOf(items, graph, workflow, library)].sort(
    ([, a], [, b]) => a[from] - b[from],
  );
  const [first] = boxes;
  const last = boxes.at(-1);
  if (boxes.length < 3 || !first || !last) return graph;
  const room = last[1][from] + last[1][size] - first[1][from];
  const filled = boxes.reduce((sum, [, box]) => sum + box[size], 0);
  const gap = (room - filled) / (boxes.length - 1);
  const places = new Map<Item, Point>();
  let next = first[1][from];
  for (const [key, box] of boxes) {
    const at = Math.round(next);
    if (!isPinned(graph, key)) places.set(key, axis === "across" ? [at, box.y] : [box.x, at]);
    next += box[size] + gap;
  }
  return place(graph, places);
}

/**
 * Lay out some nodes, or with none named all: from left to right along their wires, none over
 * another. Frames go with what they hold. What does the work is loaded when it is first asked for.
 */
export async function autolayout(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  ids?: Iterable<string>,
): Promise<Graph> {
  const { layered } = await import("./arrange_dagre");
  return layered(graph, workflow, library, ids ?? Object.keys(graph.nodes));
}
