/**
 * A graph as xyflow's nodes and edges.
 *
 * Sizes and sockets come from the geometry, never from measuring: so nodes out of sight are never
 * mounted, and no frame shows a node without its wires. What has not changed is the same object as
 * before, so that xyflow leaves it alone.
 */

import { type Edge, type Node, type NodeHandle, Position } from "@xyflow/react";
import { type Geometry, geometry, inputPoint, outputPoint, REROUTE } from "../doc/geometry";
import { outputType } from "../doc/joins";
import { faceOf, type Library, outputOf } from "../doc/library";
import { type Segment, segmentsOf } from "../doc/reroutes";
import type { Frame, Graph, Item, Note, Point, Reroute, Workflow } from "../doc/types";
import { inputHandle, outputHandle, REROUTE_IN, REROUTE_OUT } from "./ports";

export type FlowNode = Node<Record<string, never>, "node" | "frame" | "note" | "reroute"> & {
  id: Item;
};
interface WireData extends Record<string, unknown> {
  readonly wires: readonly string[];
  readonly type: string;
}
export type FlowEdge = Edge<WireData, "wire">;

const NO_DATA: Record<string, never> = {};
const SOCKET = 14;

const handle = (
  id: string,
  type: "source" | "target",
  position: Position,
  middle: Point,
): NodeHandle => ({
  id,
  type,
  position,
  x: middle[0] - SOCKET / 2,
  y: middle[1] - SOCKET / 2,
  width: SOCKET,
  height: SOCKET,
});

function handlesOf(shape: Geometry): NodeHandle[] {
  return [
    ...shape.inputs.map((row) =>
      handle(inputHandle(row.port.name, row.index), "target", Position.Left, [0, row.socket]),
    ),
    ...shape.outputs.map((row) =>
      handle(outputHandle(row.name), "source", Position.Right, [shape.width, row.socket]),
    ),
  ];
}

const shapeHandles = new WeakMap<Geometry, NodeHandle[]>();

function knownHandles(shape: Geometry): NodeHandle[] {
  const found = shapeHandles.get(shape) ?? handlesOf(shape);
  shapeHandles.set(shape, found);
  return found;
}

const REROUTE_HANDLES: NodeHandle[] = [
  handle(REROUTE_IN, "target", Position.Left, [REROUTE / 2, REROUTE / 2]),
  handle(REROUTE_OUT, "source", Position.Right, [REROUTE / 2, REROUTE / 2]),
];

type Kind = NonNullable<FlowNode["type"]>;

function flowNode(
  id: Item,
  type: Kind,
  at: Point,
  size: Point,
  zIndex: number,
  more: Partial<FlowNode> = {},
): FlowNode {
  const [width, height] = size;
  return {
    id,
    type,
    position: { x: at[0], y: at[1] },
    width,
    height,
    measured: { width, height },
    zIndex,
    data: NO_DATA,
    ...more,
  };
}

/** Makes flow nodes, and gives the same object again as long as nothing of it has changed. */
interface FlowMaker {
  nodes(graph: Graph, workflow: Workflow, library: Library, locked: boolean): FlowNode[];
  edges(graph: Graph, workflow: Workflow, library: Library): FlowEdge[];
}

const UNPLACED: Point = [0, 0];

/** Frames lie below wires; notes and nodes above. */
const DEPTH = { frame: -10, node: 1, note: 1, reroute: 2 } as const;

export function makeFlow(): FlowMaker {
  let known = new Map<Item, { readonly of: readonly unknown[]; readonly node: FlowNode }>();
  const edgeMemo = new Map<string, { segment: Segment; type: string; edge: FlowEdge }>();
  let last: { readonly of: readonly unknown[]; readonly edges: FlowEdge[] } | null = null;

  return {
    nodes(graph, workflow, library, locked) {
      const next: typeof known = new Map();
      const found: FlowNode[] = [];
      const add = (id: Item, of: readonly unknown[], make: () => FlowNode) => {
        const before = known.get(id);
        const same = before && of.every((part, index) => part === before.of[index]);
        const kept = same ? before : { of, node: make() };
        next.set(id, kept);
        found.push(kept.node);
      };
      const { layout } = graph;
      for (const [id, frame] of Object.entries(layout.frames ?? {})) {
        add(`f:${id}`, [frame, locked], () => box(`f:${id}`, "frame", frame, locked));
      }
      for (const [id, note] of Object.entries(layout.notes ?? {})) {
        add(`t:${id}`, [note, locked], () => box(`t:${id}`, "note", note, locked));
      }
      for (const [id, reroute] of Object.entries(layout.reroutes ?? {})) {
        add(`r:${id}`, [reroute], () => dot(`r:${id}`, reroute));
      }
      for (const [id, entry] of Object.entries(graph.nodes)) {
        const placed = layout.nodes?.[id];
        const shape = geometry(entry, faceOf(id, entry, graph, workflow, library), placed);
        const at = placed?.at ?? UNPLACED;
        const draggable = placed?.pinned !== true && !locked;
        add(`n:${id}`, [shape, at, draggable], () =>
          flowNode(`n:${id}`, "node", at, [shape.width, shape.height], DEPTH.node, {
            handles: knownHandles(shape),
            draggable,
          }),
        );
      }
      known = next;
      return found;
    },
    edges(graph, workflow, library) {
      // Whoever moves a node changes nothing of this, and xyflow sorts a new list through anew.
      const { nodes, inputs, outputs, layout } = graph;
      const of = [nodes, inputs, outputs, layout.wires, layout.reroutes, workflow.groups, library];
      if (last && of.every((part, index) => part === last?.of[index])) return last.edges;
      const found: FlowEdge[] = [];
      const types = new Map<string, string>();
      for (const segment of segmentsOf(graph)) {
        const source = segment.source;
        if (!graph.nodes[source.node]) continue;
        const key = `${source.node}\n${source.output ?? ""}`;
        const type = types.get(key) ?? outputType(source, graph, workflow, library);
        types.set(key, type);
        const before = edgeMemo.get(segment.id);
        if (before && before.segment === segment && before.type === type) {
          found.push(before.edge);
          continue;
        }
        const edge = flowEdge(segment, type, graph, workflow, library);
        if (!edge) continue;
        edgeMemo.set(segment.id, { segment, type, edge });
        found.push(edge);
      }
      last = { of, edges: found };
      return found;
    },
  };
}

/** Only the header of a frame takes the pointer, so that what lies in it can be reached. */
const FRAME = { dragHandle: ".frame-handle", style: { pointerEvents: "none" } } as const;

const box = (id: Item, type: "frame" | "note", part: Frame | Note, locked: boolean): FlowNode =>
  flowNode(id, type, part.at, part.size, DEPTH[type], {
    ...(type === "frame" ? FRAME : {}),
    draggable: part.pinned !== true && !locked,
  });

const dot = (id: Item, part: Reroute): FlowNode =>
  flowNode(id, "reroute", part.at, [REROUTE, REROUTE], DEPTH.reroute, { handles: REROUTE_HANDLES });

function flowEdge(
  segment: Segment,
  type: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): FlowEdge | null {
  const { from, to } = segment;
  let sourceHandle = REROUTE_OUT;
  if ("node" in from) {
    const entry = graph.nodes[from.node];
    if (!entry) return null;
    const port = outputOf(faceOf(from.node, entry, graph, workflow, library), from.output);
    if (!port) return null;
    sourceHandle = outputHandle(port.name);
  }
  return {
    id: segment.id,
    type: "wire",
    source: "node" in from ? `n:${from.node}` : `r:${from.reroute}`,
    sourceHandle,
    target: "node" in to ? `n:${to.node}` : `r:${to.reroute}`,
    targetHandle: "node" in to ? inputHandle(to.input, to.index) : REROUTE_IN,
    reconnectable: "node" in to ? "target" : false,
    data: { wires: segment.wires, type },
  };
}

/** Where the two ends of a segment lie on the canvas; null if one of them is gone. */
export function segmentEnds(
  segment: Segment,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): readonly [Point, Point] | null {
  const socket = (node: string): { at: Point; shape: Geometry } | null => {
    const entry = graph.nodes[node];
    if (!entry) return null;
    const layout = graph.layout.nodes?.[node];
    const shape = geometry(entry, faceOf(node, entry, graph, workflow, library), layout);
    return { at: layout?.at ?? UNPLACED, shape };
  };
  const reroute = (id: string): Point | null => {
    const at = graph.layout.reroutes?.[id]?.at;
    return at ? [at[0] + REROUTE / 2, at[1] + REROUTE / 2] : null;
  };
  const { from, to } = segment;
  const source = "node" in from ? socket(from.node) : null;
  const target = "node" in to ? socket(to.node) : null;
  const start =
    "node" in from
      ? source && outputPoint(source.at, source.shape, from.output)
      : reroute(from.reroute);
  const end =
    "node" in to
      ? target && inputPoint(target.at, target.shape, to.input, to.index)
      : reroute(to.reroute);
  return start && end ? [start, end] : null;
}
