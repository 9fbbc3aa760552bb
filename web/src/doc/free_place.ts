/** Where there is room for one more node. */

import { boxesOf } from "./boxes";
import type { Box } from "./geometry";
import type { Library } from "./library";
import type { Graph, Item, Point, Workflow } from "./types";

/** Room around a new node, and the steps in which one is looked for, in pixels of the canvas. */
const ROOM = 20;
const STEP = 40;
const RINGS = 100;

/** The place nearest to `at` where a box of some size lies on no node and no note. */
export function freePlace(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  at: Point,
  [width, height]: Point,
): Point {
  const items = [
    ...Object.keys(graph.nodes).map((id): Item => `n:${id}`),
    ...Object.keys(graph.layout.notes ?? {}).map((id): Item => `t:${id}`),
  ];
  const taken = [...boxesOf(items, graph, workflow, library).values()];
  const isFree = ([x, y]: Point) => !taken.some((box) => meets(box, { x, y, width, height }));
  for (let ring = 0; ring <= RINGS; ring += 1) {
    const found = around(ring)
      .map(([x, y]): Point => [at[0] + x * STEP, at[1] + y * STEP])
      .find(isFree);
    if (found) return found;
  }
  return at;
}

const meets = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width + ROOM &&
  b.x < a.x + a.width + ROOM &&
  a.y < b.y + b.height + ROOM &&
  b.y < a.y + a.height + ROOM;

/** The steps that lead to a ring, the shortest first; of equal ones those down, then right. */
function around(ring: number): Point[] {
  const places: Point[] = [];
  for (let y = ring; y >= -ring; y -= 1) {
    const edge = Math.abs(y) === ring;
    for (let x = ring; x >= -ring; x -= edge ? 1 : 2 * ring) places.push([x, y]);
  }
  return places.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
}
