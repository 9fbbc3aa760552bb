/** The nodes and edges that xyflow shows of the graph in view. */

import { useStoreApi } from "@xyflow/react";
import { useEffect, useMemo, useState } from "react";
import { EMPTY_WORKFLOW, type Item } from "../doc/types";
import { useLibrary, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { isFar } from "./FarLayer";
import { type FlowEdge, type FlowNode, makeFlow } from "./flow";

const NO_EDGES: FlowEdge[] = [];

/**
 * @param far Boxes are painted, so that only some nodes are elements.
 * @param near The node that is an element even from afar.
 */
export function useFlow(far: boolean, near: Item | null): { nodes: FlowNode[]; edges: FlowEdge[] } {
  const [maker] = useState(makeFlow);
  const library = useLibrary((state) => state.library);
  const workflow = useTab(workflowOf) ?? EMPTY_WORKFLOW;
  const graph = useTab(graphOf) ?? EMPTY_WORKFLOW;
  const locked = useTab((tab) => tab.locked) ?? false;
  const all = useMemo(
    () => maker.nodes(graph, workflow, library, locked),
    [maker, graph, workflow, library, locked],
  );
  const edges = useMemo(
    () => (far ? NO_EDGES : maker.edges(graph, workflow, library)),
    [maker, graph, workflow, library, far],
  );
  const painted = useMemo(
    () => all.filter((node) => node.type !== "node" || node.id === near),
    [all, near],
  );
  useBeforeFar(painted);
  return { nodes: far ? painted : all, edges };
}

/**
 * Whoever goes away from the graph leaves its cards behind before xyflow looks which of them are
 * in view: it would mount all of them, to take them off again with the next picture.
 */
function useBeforeFar(nodes: FlowNode[]): void {
  const flow = useStoreApi();
  useEffect(
    () =>
      flow.subscribe((now, before) => {
        if (isFar(now) && !isFar(before)) now.setNodes(nodes);
      }),
    [flow, nodes],
  );
}
