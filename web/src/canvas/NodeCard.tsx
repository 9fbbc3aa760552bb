/** A node as a card: its title and state, its sockets, the fields of its inputs, its pictures. */

import type { NodeProps } from "@xyflow/react";
import { memo } from "react";
import { faceTitle } from "../doc/titles";
import { type Item, idOf } from "../doc/types";
import { useTab } from "../editor";
import { FieldRow } from "./FieldRow";
import type { FlowNode } from "./flow";
import css from "./NodeCard.module.css";
import { NodeHeader } from "./NodeHeader";
import { NodePictures } from "./NodePictures";
import { NodeTrouble } from "./NodeTrouble";
import { outputHandle } from "./ports";
import { Resizer } from "./Resizer";
import { Socket } from "./Socket";
import { useNode, useNodeRun, useProblems, useSelected } from "./useNode";

export const NodeCard = memo(function NodeCard({ id: key }: NodeProps<FlowNode>) {
  const id = idOf(key as Item);
  const view = useNode(id);
  const run = useNodeRun(id);
  const problems = useProblems(id);
  const selected = useSelected(`n:${id}`);
  const locked = useTab((tab) => tab.locked) ?? false;
  if (!view) return null;
  const { entry, face, layout, shape } = view;
  const title = faceTitle(face, layout);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a card
    <div
      className={css.card}
      role="group"
      aria-label={`${title} node`}
      aria-describedby={run?.status === "failed" ? `trouble-${id}` : undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: Tab walks the nodes in their flow
      tabIndex={0}
      data-node={id}
      data-type={entry.type}
      data-status={run?.status ?? "idle"}
      data-mode={entry.mode ?? undefined}
      data-selected={selected || undefined}
      data-unknown={face.unknown || undefined}
      data-problem={problems.some((one) => one.severity !== "warning") || undefined}
      data-collapsed={shape.collapsed || undefined}
      style={{
        width: shape.width,
        height: shape.height,
        ...(layout?.colour && { "--tint": layout.colour }),
      }}
    >
      <NodeHeader id={id} view={view} run={run} title={title} />
      {shape.outputs.map((row) => (
        <div key={row.name}>
          {!shape.collapsed && (
            <span className={css.output} style={{ top: row.top }} title={row.description}>
              {row.name}
            </span>
          )}
          <Socket
            id={outputHandle(row.name)}
            name={row.name}
            type={row.type}
            side="output"
            top={row.socket}
            linked
          />
        </div>
      ))}
      {shape.inputs.map((row) => (
        <FieldRow
          key={`${row.port.name}:${row.index ?? ""}`}
          node={id}
          view={view}
          row={row}
          locked={locked}
          problem={problems.find((one) => one.input === row.port.name)?.sentence ?? null}
        />
      ))}
      {shape.pictures && (
        <NodePictures
          id={id}
          type={entry.type}
          makes={face.shows === "value"}
          run={run}
          room={shape.pictures}
          title={title}
        />
      )}
      <NodeTrouble id={id} run={run} problems={problems} unknown={face.unknown} type={entry.type} />
      {!shape.collapsed && !locked && <Resizer id={id} width={shape.width} />}
    </div>
  );
});
