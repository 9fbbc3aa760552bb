/** Clicks: they select; two of them on nothing search, on a wire reroute, on a group enter it. */

import type { EdgeMouseHandler, NodeMouseHandler } from "@xyflow/react";
import { type MouseEvent, useMemo } from "react";
import { REROUTE } from "../doc/geometry";
import { addReroute, segmentsOf } from "../doc/reroutes";
import { groupOf } from "../doc/scope";
import { type Item, idOf, kindOf } from "../doc/types";
import { useEditor } from "../editor";
import { graphOf } from "../store/tabs";
import type { FlowEdge, FlowNode } from "./flow";

const howMany = (event: MouseEvent): "set" | "toggle" =>
  event.shiftKey || event.ctrlKey || event.metaKey ? "toggle" : "set";

/** Whether an event is about a field, not about the node around it. */
const inField = (event: MouseEvent): boolean =>
  event.target instanceof Element &&
  event.target.closest(".nodrag, input, textarea, select") !== null;

export function usePicking() {
  const { tabs, ui, canvas } = useEditor();
  return useMemo(() => {
    const handlers = {
      onNodeClick: ((event, node) => {
        if (inField(event) && howMany(event) === "set" && tabs.current()?.selection.has(node.id))
          return;
        tabs.select([node.id], howMany(event));
      }) satisfies NodeMouseHandler<FlowNode>,
      onNodeDoubleClick: ((event, node) => {
        const tab = tabs.current();
        const entry =
          tab && kindOf(node.id) === "n" ? graphOf(tab).nodes[idOf(node.id)] : undefined;
        if (!entry || groupOf(entry.type) === null || inField(event)) return;
        event.stopPropagation();
        tabs.enter(idOf(node.id));
      }) satisfies NodeMouseHandler<FlowNode>,
      onEdgeClick: ((event, edge) => {
        tabs.select(
          (edge.data?.wires ?? []).map((key): Item => `w:${key}`),
          howMany(event),
        );
      }) satisfies EdgeMouseHandler<FlowEdge>,
      onEdgeDoubleClick: ((event, edge) => {
        event.stopPropagation();
        const tab = tabs.current();
        const segment = tab && segmentsOf(graphOf(tab)).find((one) => one.id === edge.id);
        if (!segment) return;
        const [x, y] = canvas.toCanvas([event.clientX, event.clientY]);
        const at = [Math.round(x - REROUTE / 2), Math.round(y - REROUTE / 2)] as const;
        tabs.editGraph((graph) => addReroute(graph, segment.id, at));
      }) satisfies EdgeMouseHandler<FlowEdge>,
    };
    const onDoubleClick = (event: MouseEvent) => {
      const pane =
        event.target instanceof Element && event.target.classList.contains("react-flow__pane");
      if (!pane || event.button !== 0) return;
      const screen = [event.clientX, event.clientY] as const;
      ui.setState({ search: { at: canvas.toCanvas(screen), screen, loose: null } });
    };
    return { handlers, onDoubleClick };
  }, [tabs, ui, canvas]);
}
