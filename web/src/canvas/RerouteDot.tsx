/** A reroute: a dot that a wire passes. It has no part in what is computed. */

import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { type Item, idOf } from "../doc/types";
import type { FlowNode } from "./flow";
import { REROUTE_IN, REROUTE_OUT } from "./ports";
import css from "./RerouteDot.module.css";
import { useSocketLook } from "./Socket";
import { useSelected } from "./useNode";
import { useRerouteType } from "./useReroute";

export const RerouteDot = memo(function RerouteDot({ id: key }: NodeProps<FlowNode>) {
  const id = idOf(key as Item);
  const type = useRerouteType(id);
  const look = useSocketLook(type);
  const selected = useSelected(`r:${id}`);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a dot is no fieldset
    <div
      className={css.dot}
      role="group"
      aria-label={`${type} reroute`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: Delete takes it out
      tabIndex={0}
      data-reroute={id}
      data-selected={selected || undefined}
      style={{ "--tint": look.colour } as React.CSSProperties}
    >
      <Handle
        id={REROUTE_IN}
        type="target"
        position={Position.Left}
        className={css.socket ?? ""}
        isConnectableStart={false}
      />
      <Handle
        id={REROUTE_OUT}
        type="source"
        position={Position.Right}
        className={`${css.socket} ${css.out}`}
        aria-label={`${type} from this reroute`}
      />
    </div>
  );
});
