/** What a node's card needs to know of its node, each selected alone so that little renders. */

import { useMemo } from "react";
import { type Geometry, geometry } from "../doc/geometry";
import { type Face, faceOf } from "../doc/library";
import { flatId } from "../doc/scope";
import type { NodeEntry, NodeLayout } from "../doc/types";
import { useLibrary, useRuns, useTab } from "../editor";
import type { Problem } from "../server/api";
import type { NodeRun } from "../store/runs";
import { graphOf, workflowOf } from "../store/tabs";

export interface NodeView {
  readonly entry: NodeEntry;
  readonly layout: NodeLayout | undefined;
  readonly face: Face;
  readonly shape: Geometry;
}

/** A node of the graph in view; null once it is gone. */
export function useNode(id: string): NodeView | null {
  const library = useLibrary((state) => state.library);
  const entry = useTab((tab) => graphOf(tab).nodes[id]) ?? undefined;
  const layout = useTab((tab) => graphOf(tab).layout.nodes?.[id]) ?? undefined;
  const face = useTab((tab) => {
    const graph = graphOf(tab);
    const node = graph.nodes[id];
    return node ? faceOf(id, node, graph, workflowOf(tab), library) : null;
  });
  return useMemo(
    () => (entry && face ? { entry, layout, face, shape: geometry(entry, face, layout) } : null),
    [entry, layout, face],
  );
}

/** What became of a node in the job that the tab shows. */
export function useNodeRun(id: string): NodeRun | undefined {
  const job = useTab((tab) => tab.job);
  const flat = useTab((tab) => flatId(tab.scope, id)) ?? id;
  return useRuns((state) => (job === null ? undefined : state.jobs[job]?.nodes[flat]));
}

/** Whether the job that the tab shows has not ended. */
export function useJobActive(): boolean {
  const job = useTab((tab) => tab.job);
  return useRuns((state) => {
    const status = job === null ? undefined : state.jobs[job]?.status;
    return status === "running" || status === "queued";
  });
}

const NONE: readonly Problem[] = [];
const byNode = new WeakMap<readonly Problem[], ReadonlyMap<string, readonly Problem[]>>();

/** Problems by the node they are about, and by every call that this lies in. */
function problemsByNode(problems: readonly Problem[]): ReadonlyMap<string, readonly Problem[]> {
  const known = byNode.get(problems);
  if (known) return known;
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    const parts = problem.node?.split("/") ?? [];
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const place = parts.slice(0, depth).join("/");
      const there = found.get(place);
      if (there) there.push(problem);
      else found.set(place, [problem]);
    }
  }
  byNode.set(problems, found);
  return found;
}

/**
 * What the check found about a node, or about nodes inside of the group that it calls. Every edit
 * is checked, so a node that nothing is found about keeps its answer and is not drawn anew.
 */
export const useProblems = (id: string): readonly Problem[] =>
  useTab((tab) => problemsByNode(tab.problems).get(flatId(tab.scope, id))) ?? NONE;

/** The same of a node anywhere in the workflow, by its flat id. */
export const useProblemsAt = (flat: string): readonly Problem[] =>
  useTab((tab) => problemsByNode(tab.problems).get(flat)) ?? NONE;

export const useSelected = (key: `${"n" | "f" | "t" | "r" | "w"}:${string}`): boolean =>
  useTab((tab) => tab.selection.has(key)) ?? false;
