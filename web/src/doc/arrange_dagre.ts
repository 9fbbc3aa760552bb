/** Nodes in layers from left to right, by dagre. Loaded only when a layout is asked for. */

import { layout, Graph as Net } from "@dagrejs/dagre";
import { boxesOf, boxOf } from "./boxes";
import { GRID, place, withVia } from "./edits";
import { inside, isPinned, placeOf } from "./frames";
import { around, type Box } from "./geometry";
import { wiresOf } from "./inputs";
import type { Library } from "./library";
import { viaOf } from "./reroutes";
import { type Graph, type Item, idOf, kindOf, type Point, type Workflow } from "./types";

/** Above so many nodes the exact ranking takes too long; a plain one is good enough. */
const MANY = 400;

/** A thing that is laid out as one: a node, or a frame with all that it holds. */
interface Block {
  readonly key: Item;
  readonly size: Point;
  /** Where the block's own things lie, from its corner. */
  readonly parts: ReadonlyMap<Item, Point>;
}

/** A graph in which some nodes are laid out; pinned ones stay, and so do nodes of pinned frames. */
export function layered(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  ids: Iterable<string>,
): Graph {
  const wanted = new Set(
    [...ids].map((id): Item => `n:${id}`).filter((key) => !isPinned(graph, key)),
  );
  const before = around(boxesOf(wanted, graph, workflow, library).values());
  if (!before) return graph;
  const blocks = blocksOf(graph, workflow, library, wanted);
  const laid = lay(graph, blocks);
  const places = new Map<Item, Point>();
  const top = around([...boxesAt(blocks, laid)].filter((box): box is Box => box !== null));
  for (const block of blocks) {
    const [x, y] = laid.get(block.key) ?? [0, 0];
    for (const [key, [dx, dy]] of block.parts) {
      const at: Point = [x + dx - (top?.x ?? 0) + before.x, y + dy - (top?.y ?? 0) + before.y];
      places.set(key, [Math.round(at[0] / GRID) * GRID, Math.round(at[1] / GRID) * GRID]);
    }
  }
  return straightened(place(graph, places), new Set(places.keys()));
}

function* boxesAt(blocks: readonly Block[], laid: ReadonlyMap<Item, Point>): Iterable<Box | null> {
  for (const { key, size } of blocks) {
    const at = laid.get(key);
    yield at ? { x: at[0], y: at[1], width: size[0], height: size[1] } : null;
  }
}

/** The nodes as blocks; those that a frame holds wholly are one block, laid out by themselves. */
function blocksOf(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  wanted: ReadonlySet<Item>,
): Block[] {
  const blocks: Block[] = [];
  const done = new Set<Item>();
  for (const frame of outermost(graph, workflow, library)) {
    const held = inside(graph, frame, workflow, library);
    const nodes = held.filter((key) => kindOf(key) === "n");
    const whole = nodes.length > 0 && nodes.every((key) => wanted.has(key) && !done.has(key));
    if (!whole || isPinned(graph, `f:${frame}`)) continue;
    for (const key of nodes) done.add(key);
    blocks.push(frameBlock(`f:${frame}`, held, graph, workflow, library));
  }
  for (const key of wanted) {
    const box = done.has(key) ? null : boxOf(key, graph, workflow, library);
    if (box) blocks.push({ key, size: [box.width, box.height], parts: new Map([[key, [0, 0]]]) });
  }
  return blocks;
}

/** Frames from the largest on: what lies in one of them lies in no smaller one any more. */
function outermost(graph: Graph, workflow: Workflow, library: Library): string[] {
  const frames = Object.keys(graph.layout.frames ?? {});
  const area = (id: string) => {
    const box = boxOf(`f:${id}`, graph, workflow, library);
    return box ? box.width * box.height : 0;
  };
  return frames.sort((a, b) => area(b) - area(a));
}

/**
 * A frame that keeps what it holds as it lies. Its nodes were put together by hand, so they stay
 * together; the frame itself is made to fit.
 */
function frameBlock(
  key: Item,
  held: readonly Item[],
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Block {
  const boxes = boxesOf([key, ...held], graph, workflow, library);
  const all = around(boxes.values()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const parts = new Map<Item, Point>();
  for (const one of [key, ...held]) {
    const at = placeOf(graph, one);
    if (at) parts.set(one, [at[0] - all.x, at[1] - all.y]);
  }
  return { key, size: [all.width, all.height], parts };
}

/** Corners of the blocks, by dagre. */
function lay(graph: Graph, blocks: readonly Block[]): Map<Item, Point> {
  const net = new Net();
  net.setGraph({
    rankdir: "LR",
    nodesep: 2 * GRID,
    ranksep: 4 * GRID,
    ...(blocks.length > MANY && { ranker: "longest-path" }),
  });
  net.setDefaultEdgeLabel(() => ({}));
  const blockOf = new Map<string, Item>();
  for (const { key, size, parts } of blocks) {
    // A grid step more, as corners are put on the grid afterwards.
    net.setNode(key, { width: size[0] + GRID, height: size[1] + GRID });
    for (const part of parts.keys()) if (kindOf(part) === "n") blockOf.set(idOf(part), key);
  }
  for (const { from, to } of wiresOf(graph)) {
    const [source, target] = [blockOf.get(from.node), blockOf.get(to.node)];
    if (source && target && source !== target) net.setEdge(source, target);
  }
  layout(net);
  const corners = new Map<Item, Point>();
  for (const { key, size } of blocks) {
    const { x, y } = net.node(key) as { x: number; y: number };
    corners.set(key, [x - size[0] / 2, y - size[1] / 2]);
  }
  return corners;
}

/** Reroutes of wires between nodes that were moved lead nowhere any more, unless a frame took them. */
function straightened(graph: Graph, moved: ReadonlySet<Item>): Graph {
  let next = graph;
  for (const { key, from, to } of wiresOf(graph)) {
    const via = viaOf(graph, key);
    if (via.length === 0 || !moved.has(`n:${from.node}`) || !moved.has(`n:${to.node}`)) continue;
    const kept = via.filter((id) => moved.has(`r:${id}`));
    if (kept.length < via.length) next = withVia(next, key, kept);
  }
  return next;
}
