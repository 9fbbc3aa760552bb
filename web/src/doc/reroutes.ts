/** Reroutes: points that wires pass. They are part of the layout alone; a wire is one link. */

import { freshName, withLayout } from "./edits";
import { type Wire, type WireEnd, wiresOf } from "./inputs";
import type { Graph, LinkRef, Point } from "./types";

type SegmentStart = LinkRef | { readonly reroute: string };
type SegmentEnd = WireEnd | { readonly reroute: string };

/** A line that is drawn: wires from one source that pass the same reroutes share it. */
export interface Segment {
  readonly id: string;
  readonly from: SegmentStart;
  readonly to: SegmentEnd;
  /** Where its value comes from, through however many reroutes. */
  readonly source: LinkRef;
  /** Keys of the wires that it is part of. */
  readonly wires: readonly string[];
}

const isReroute = (end: SegmentStart | SegmentEnd): end is { readonly reroute: string } =>
  "reroute" in end;

// A wire that stays the same keeps its segment, so that a drawn line need not be drawn again.
const straight = new WeakMap<Wire, Segment>();

function straightSegment(wire: Wire): Segment {
  const known = straight.get(wire);
  if (known) return known;
  const { key, from, to } = wire;
  const segment: Segment = { id: key, from, to, source: from, wires: [key] };
  straight.set(wire, segment);
  return segment;
}

/** A segment that further wires may still share. */
type Growing = Segment & { readonly wires: string[] };

interface Drawn {
  readonly wires: Graph["layout"]["wires"];
  readonly reroutes: Graph["layout"]["reroutes"];
  readonly segments: readonly Segment[];
}

const drawn = new WeakMap<object, Drawn>();

/** The lines that a graph's wires are drawn as. */
export function segmentsOf(graph: Graph): readonly Segment[] {
  const { wires, reroutes } = graph.layout;
  const known = drawn.get(graph.nodes);
  if (known && known.wires === wires && known.reroutes === reroutes) return known.segments;
  const shared = new Map<string, Growing>();
  const segments: Segment[] = [];
  for (const wire of wiresOf(graph)) {
    const via = viaOf(graph, wire.key);
    if (via.length === 0) segments.push(straightSegment(wire));
    else segments.push(...bentSegments(wire, via, shared));
  }
  drawn.set(graph.nodes, { wires, reroutes, segments });
  return segments;
}

/** The segments of a wire that others have not drawn yet. */
function bentSegments(wire: Wire, via: readonly string[], shared: Map<string, Growing>): Segment[] {
  const source = wire.from;
  const fresh: Segment[] = [];
  let from: SegmentStart = source;
  let path = JSON.stringify([source.node, source.output ?? ""]);
  for (const reroute of via) {
    path = `${path}>${reroute}`;
    const known = shared.get(path);
    if (known) known.wires.push(wire.key);
    else {
      const segment = { id: path, from, to: { reroute }, source, wires: [wire.key] };
      shared.set(path, segment);
      fresh.push(segment);
    }
    from = { reroute };
  }
  fresh.push({ id: wire.key, from, to: wire.to, source, wires: [wire.key] });
  return fresh;
}

/** The reroutes that a wire passes, those that exist. */
export function viaOf(graph: Graph, key: string): readonly string[] {
  const via = graph.layout.wires?.[key];
  if (!via) return [];
  const reroutes = graph.layout.reroutes ?? {};
  return via.every((id) => reroutes[id]) ? via : via.filter((id) => reroutes[id]);
}

/** Put a reroute on a segment; all wires that are drawn as this line bend with it. */
export function addReroute(graph: Graph, segmentId: string, at: Point): Graph {
  const segment = segmentsOf(graph).find((one) => one.id === segmentId);
  if (!segment) return graph;
  const { to } = segment;
  const id = freshName("reroute", graph.layout.reroutes ?? {});
  const wires: Record<string, readonly string[]> = { ...graph.layout.wires };
  for (const key of segment.wires) {
    const via = viaOf(graph, key);
    const place = isReroute(to) ? via.indexOf(to.reroute) : via.length;
    wires[key] = [...via.slice(0, place), id, ...via.slice(place)];
  }
  return withLayout(graph, { wires, reroutes: { ...graph.layout.reroutes, [id]: { at } } });
}

/** Where a new wire that starts at a reroute comes from, and what it passes; null at a stray one. */
export function extendFrom(
  graph: Graph,
  reroute: string,
): { readonly from: LinkRef; readonly via: readonly string[] } | null {
  for (const wire of wiresOf(graph)) {
    const via = viaOf(graph, wire.key);
    const place = via.indexOf(reroute);
    if (place >= 0) return { from: wire.from, via: via.slice(0, place + 1) };
  }
  return null;
}
