/** Which graph of a document is looked at: the workflow itself, or a group that a call leads into. */

import { GROUP_PREFIX, type Graph, type NodeEntry, own, type Workflow } from "./types";

/** Ids of the calls that were entered, from the outside in; empty for the workflow itself. */
export type Scope = readonly string[];

/** The group that a node of this type calls; null for other nodes. */
export const groupOf = (type: string): string | null =>
  type.startsWith(GROUP_PREFIX) ? type.slice(GROUP_PREFIX.length) : null;

/** Name of the group that a scope shows; null for the workflow itself, undefined if it is gone. */
export function groupAt(workflow: Workflow, scope: Scope): string | null | undefined {
  let graph: Graph = workflow;
  let name: string | null = null;
  for (const call of scope) {
    const entry: NodeEntry | undefined = own(graph.nodes, call);
    name = entry ? groupOf(entry.type) : null;
    const inner = name === null ? undefined : own(workflow.groups, name);
    if (!inner) return undefined;
    graph = inner;
  }
  return name;
}

/** The graph of a scope; the workflow itself if the scope leads nowhere. */
export function graphAt(workflow: Workflow, scope: Scope): Graph {
  const name = groupAt(workflow, scope);
  return (name ? own(workflow.groups, name) : undefined) ?? workflow;
}

/** A document in which the graph of a scope is another; all calls of that group see it. */
export function withGraph(workflow: Workflow, scope: Scope, graph: Graph): Workflow {
  const name = groupAt(workflow, scope);
  return withGroup(workflow, name ?? null, graph);
}

/** A document in which a group is another; the workflow's own graph goes by the name null. */
export function withGroup(workflow: Workflow, name: string | null, graph: Graph): Workflow {
  if (name !== null) return { ...workflow, groups: { ...workflow.groups, [name]: graph } };
  const { nodes, inputs, outputs, layout } = graph;
  return { ...workflow, nodes, inputs, outputs, layout };
}

/** The id that the engine gives to a node of a scope: `outer/inner`. */
export const flatId = (scope: Scope, node: string): string => [...scope, node].join("/");
