/** A frame around nodes: its header moves it with all that lies in it. */

import { type NodeProps, NodeResizer } from "@xyflow/react";
import { memo, useState } from "react";
import { withLayout } from "../doc/edits";
import { type Frame, type Item, idOf, type Point } from "../doc/types";
import { useEditor, useTab } from "../editor";
import { graphOf } from "../store/tabs";
import css from "./FrameCard.module.css";
import type { FlowNode } from "./flow";
import { useSelected } from "./useNode";

export const FrameCard = memo(function FrameCard({ id: key }: NodeProps<FlowNode>) {
  const id = idOf(key as Item);
  const { tabs } = useEditor();
  const frame = useTab((tab) => graphOf(tab).layout.frames?.[id]);
  const locked = useTab((tab) => tab.locked) ?? false;
  const selected = useSelected(`f:${id}`);
  const [renaming, setRenaming] = useState(false);
  if (!frame) return null;
  const change = (part: Partial<Frame>, tag = "") =>
    tabs.editGraph(
      (graph) =>
        withLayout(graph, { frames: { ...graph.layout.frames, [id]: { ...frame, ...part } } }),
      tag,
    );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out freely
    <div
      className={css.frame}
      role="group"
      aria-label={`${frame.title || "Frame"} frame`}
      data-frame={id}
      data-selected={selected || undefined}
      style={{
        width: frame.size[0],
        height: frame.size[1],
        ...(frame.colour && { "--tint": frame.colour }),
      }}
    >
      <NodeResizer
        isVisible={selected && !locked}
        minWidth={120}
        minHeight={80}
        onResize={(_, to) => {
          const at: Point = [Math.round(to.x), Math.round(to.y)];
          change({ at, size: [Math.round(to.width), Math.round(to.height)] }, `size f:${id}`);
        }}
        onResizeEnd={() => tabs.seal()}
      />
      <header className={`${css.header} frame-handle`}>
        {renaming ? (
          <input
            className={`${css.title} nodrag`}
            aria-label="Title of the frame"
            defaultValue={frame.title}
            ref={(input) => input?.focus()}
            onBlur={(event) => {
              change({ title: event.target.value });
              setRenaming(false);
            }}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === "Enter") event.currentTarget.blur();
              if (event.key === "Escape") setRenaming(false);
            }}
          />
        ) : (
          <button
            type="button"
            className={css.title}
            onDoubleClick={() => setRenaming(true)}
            title="Double click renames"
          >
            {frame.title || "Frame"}
          </button>
        )}
        {selected && !locked && (
          <input
            type="color"
            className={`${css.colour} nodrag`}
            aria-label="Colour of the frame"
            value={frame.colour ?? "#5b6b85"}
            onChange={(event) => change({ colour: event.target.value }, `colour f:${id}`)}
          />
        )}
      </header>
    </div>
  );
});
