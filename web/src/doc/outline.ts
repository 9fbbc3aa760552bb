/** The nodes of a document in the order of the flow, those of groups below the calls that hold them. */

import { faceOf, type Library } from "./library";
import { flowOrder } from "./order";
import { graphAt, groupOf, type Scope } from "./scope";
import { faceTitle } from "./titles";
import { type Graph, own, type Workflow } from "./types";

export interface Line {
  /** Its flat id, `outer/inner`. */
  readonly flat: string;
  readonly id: string;
  readonly scope: Scope;
  readonly title: string;
  readonly mode: string | null;
  /** Whether its nodes follow; null if it calls no group. */
  readonly open: boolean | null;
  /** Which one it is in its graph, from 1 on, and how many are there. */
  readonly nth: readonly [number, number];
}

/** Groups within groups are followed so far; a faulty one may hold itself. */
const DEEPEST = 30;

/** @param open Flat ids of the calls whose nodes are listed; of others nothing is looked at. */
export function outline(workflow: Workflow, library: Library, open: ReadonlySet<string>): Line[] {
  const found: Line[] = [];
  const list = (scope: Scope) => {
    const graph = graphAt(workflow, scope);
    const order = flowOrder(graph);
    for (const [index, id] of order.entries()) {
      const line = lineOf(id, scope, graph, workflow, library, open);
      if (!line) continue;
      found.push({ ...line, nth: [index + 1, order.length] });
      if (line.open && scope.length < DEEPEST) list([...scope, id]);
    }
  };
  list([]);
  return found;
}

function lineOf(
  id: string,
  scope: Scope,
  graph: Graph,
  workflow: Workflow,
  library: Library,
  open: ReadonlySet<string>,
): Omit<Line, "nth"> | null {
  const entry = own(graph.nodes, id);
  if (!entry) return null;
  const flat = [...scope, id].join("/");
  const group = groupOf(entry.type);
  const title = faceTitle(faceOf(id, entry, graph, workflow, library), own(graph.layout.nodes, id));
  const calls = group !== null && own(workflow.groups, group) !== undefined;
  return { flat, id, scope, title, mode: entry.mode ?? null, open: calls ? open.has(flat) : null };
}
