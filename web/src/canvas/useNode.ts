/** What a node's card needs to know of its node, each selected alone so that little renders. */

import { useMemo } from "react";
import { useStore } from "zustand";
import { type Geometry, geometry } from "../doc/geometry";
import { type Face, faceOf } from "../doc/library";
import { flatId } from "../doc/scope";
import type { NodeEntry, NodeLayout } from "../doc/types";
import { useEditor, useLibrary, useRuns, useTab } from "../editor";
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

/** What the check found about a node, or about nodes inside of the group that it calls. */
export function useProblems(id: string): readonly Problem[] {
  const { tabs } = useEditor();
  const problems = useStore(tabs, (state) => {
    const tab = state.tabs.find((one) => one.id === state.active);
    return tab?.problems ?? NONE;
  });
  const flat = useTab((tab) => flatId(tab.scope, id)) ?? id;
  return useMemo(() => {
    if (problems.length === 0) return NONE;
    const inner = `${flat}/`;
    const found = problems.filter((one) => one.node === flat || one.node?.startsWith(inner));
    return found.length > 0 ? found : NONE;
  }, [problems, flat]);
}

export const useSelected = (key: `${"n" | "f" | "t" | "r" | "w"}:${string}`): boolean =>
  useTab((tab) => tab.selection.has(key)) ?? false;
