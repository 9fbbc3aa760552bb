/** A wire, or the part of it between two reroutes. */

import { BaseEdge, type EdgeProps } from "@xyflow/react";
import { memo } from "react";
import { useStore } from "zustand";
import { useEditor } from "../editor";
import type { FlowEdge } from "./flow";
import { useSocketLook } from "./Socket";
import css from "./WireEdge.module.css";

/** A cubic that leaves to the right and arrives from the left, however near the two ends are. */
export function wirePath(x1: number, y1: number, x2: number, y2: number): string {
  const reach = Math.min(160, Math.max(24, Math.abs(x2 - x1) * 0.5, Math.abs(y2 - y1) * 0.25));
  return `M${x1} ${y1}C${x1 + reach} ${y1} ${x2 - reach} ${y2} ${x2} ${y2}`;
}

export const WireEdge = memo(function WireEdge(props: EdgeProps<FlowEdge>) {
  const { id, sourceX, sourceY, targetX, targetY, data } = props;
  const { tabs } = useEditor();
  const look = useSocketLook(data?.type ?? "any");
  const wires = data?.wires ?? [];
  const selected = useStore(tabs, (state) => {
    const tab = state.tabs.find((one) => one.id === state.active);
    return wires.some((key) => tab?.selection.has(`w:${key}`));
  });
  return (
    <BaseEdge
      id={id}
      path={wirePath(sourceX, sourceY, targetX, targetY)}
      className={`${css.wire} ${selected ? css.selected : ""}`}
      style={{ stroke: look.colour }}
      interactionWidth={16}
    />
  );
});
