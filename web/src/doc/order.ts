/** Who comes before whom: depth, the order of the flow, and what hangs on a node. */

import { wiresFrom, wiresInto, wiresOf } from "./inputs";
import { type Graph, own } from "./types";

const known = new WeakMap<object, ReadonlyMap<string, number>>();

/**
 * How many nodes the longest way to each node passes. Nodes of loops, which only faulty or
 * unfinished graphs have, come one behind the deepest that leads into the loop.
 */
export function depths(graph: Graph): ReadonlyMap<string, number> {
  const remembered = known.get(graph.nodes);
  if (remembered) return remembered;
  const waits = new Map<string, number>(Object.keys(graph.nodes).map((id) => [id, 0]));
  for (const { from, to } of wiresOf(graph)) {
    if (waits.has(from.node)) waits.set(to.node, (waits.get(to.node) ?? 0) + 1);
  }
  const depth = new Map<string, number>();
  const found = new Map<string, number>();
  const leaving = wiresFrom(graph);
  const ready = [...waits.keys()].filter((id) => waits.get(id) === 0);
  const waiting = waits.keys();
  for (;;) {
    const id = ready.pop() ?? firstLeft(waiting, found);
    if (id === undefined) break;
    if (found.has(id)) continue;
    const own = depth.get(id) ?? 0;
    found.set(id, own);
    for (const { to } of leaving.get(id) ?? []) {
      const left = (waits.get(to.node) ?? 0) - 1;
      waits.set(to.node, left);
      if (!found.has(to.node)) depth.set(to.node, Math.max(depth.get(to.node) ?? 0, own + 1));
      if (left === 0) ready.push(to.node);
    }
  }
  known.set(graph.nodes, found);
  return found;
}

function firstLeft(ids: Iterator<string>, found: ReadonlyMap<string, number>): string | undefined {
  for (let next = ids.next(); !next.done; next = ids.next()) {
    if (!found.has(next.value)) return next.value;
  }
  return undefined;
}

/** All nodes from the sources on; those of one depth from top to bottom. */
export function flowOrder(graph: Graph): string[] {
  const depth = depths(graph);
  const at = (id: string) => graph.layout.nodes?.[id]?.at ?? [0, 0];
  return Object.keys(graph.nodes).sort(
    (a, b) =>
      (depth.get(a) ?? 0) - (depth.get(b) ?? 0) ||
      (at(a)[1] ?? 0) - (at(b)[1] ?? 0) ||
      (at(a)[0] ?? 0) - (at(b)[0] ?? 0) ||
      (a < b ? -1 : 1),
  );
}

/** Some nodes and all that they need. */
export const upstream = (graph: Graph, ids: Iterable<string>): Set<string> =>
  reached(graph, ids, (id) => before(graph, id));

/** Some nodes and all that needs them. */
export const downstream = (graph: Graph, ids: Iterable<string>): Set<string> =>
  reached(graph, ids, (id) => after(graph, id));

function reached(
  graph: Graph,
  ids: Iterable<string>,
  next: (id: string) => readonly string[],
): Set<string> {
  const found = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || !own(graph.nodes, id)) continue;
    found.add(id);
    open.push(...next(id));
  }
  return found;
}

const before = (graph: Graph, id: string): string[] =>
  wiresInto(id, own(graph.nodes, id)?.inputs).map((wire) => wire.from.node);

const after = (graph: Graph, id: string): string[] =>
  (wiresFrom(graph).get(id) ?? []).map((wire) => wire.to.node);

/** The nodes that a node is wired to, in the order of its inputs and of their takers. */
export const neighbours = (
  graph: Graph,
  id: string,
): { readonly before: readonly string[]; readonly after: readonly string[] } => {
  const there = (ids: string[]) => [...new Set(ids)].filter((one) => own(graph.nodes, one));
  return { before: there(before(graph, id)), after: there(after(graph, id)) };
};
