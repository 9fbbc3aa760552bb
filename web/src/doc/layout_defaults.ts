/** Places for nodes that have none: documents made in Python say nothing of a layout. */

import { boxOf } from "./boxes";
import { around, type Box, geometry } from "./geometry";
import { faceOf, type Library } from "./library";
import { depths, flowOrder } from "./order";
import { isPoint } from "./parse";
import { withGroup } from "./scope";
import { type Graph, type Item, type NodeLayout, own, type Point, type Workflow } from "./types";

const BETWEEN_COLUMNS = 80;
const BETWEEN_ROWS = 40;
const BELOW = 100;

/** The document with a place for every node, in groups too; the same if all have one. */
export function ensureLayout(workflow: Workflow, library: Library): Workflow {
  let next = workflow;
  for (const name of [null, ...Object.keys(workflow.groups)]) {
    const graph = name === null ? workflow : workflow.groups[name];
    if (!graph) continue;
    const placed = placedGraph(graph, workflow, library);
    if (placed !== graph) next = withGroup(next, name, placed);
  }
  return next;
}

/**
 * Nodes without a place go left to right by how far they are from the sources, one column for each
 * depth; below what has a place already.
 */
function placedGraph(graph: Graph, workflow: Workflow, library: Library): Graph {
  const layouts = graph.layout.nodes;
  const isPlaced = (id: string) => isPoint(own(layouts, id)?.at);
  const all = Object.keys(graph.nodes);
  const missing = new Set(all.filter((id) => !isPlaced(id)));
  if (missing.size === 0) return graph;
  const items = all.filter(isPlaced).map((id): Item => `n:${id}`);
  const boxes = items.map((key) => boxOf(key, graph, workflow, library));
  const above = around(boxes.filter((box): box is Box => box !== null));
  const corner: Point = above ? [above.x, above.y + above.height + BELOW] : [0, 0];
  const next: Record<string, NodeLayout> = { ...layouts };
  for (const [id, at] of columns(graph, missing, workflow, library, corner)) {
    next[id] = { ...next[id], at };
  }
  return { ...graph, layout: { ...graph.layout, nodes: next } };
}

function* columns(
  graph: Graph,
  ids: ReadonlySet<string>,
  workflow: Workflow,
  library: Library,
  [left, top]: Point,
): Iterable<[string, Point]> {
  const depth = depths(graph);
  let column = -1;
  let [x, y, width] = [left, top, 0];
  // The order has one depth after the other. Rows of a column follow those of the columns before.
  for (const id of flowOrder(graph)) {
    const entry = graph.nodes[id];
    if (!entry || !ids.has(id)) continue;
    const here = depth.get(id) ?? 0;
    if (here !== column) {
      if (column >= 0) x += width + BETWEEN_COLUMNS;
      [column, y, width] = [here, top, 0];
    }
    const face = faceOf(id, entry, graph, workflow, library);
    const shape = geometry(entry, face, own(graph.layout.nodes, id));
    yield [id, [x, y]];
    y += shape.height + BETWEEN_ROWS;
    width = Math.max(width, shape.width);
  }
}
