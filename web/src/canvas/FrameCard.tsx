/** A frame around nodes: its header moves it with all that lies in it. */

import { type NodeProps, NodeResizer } from "@xyflow/react";
import { memo } from "react";
import { editFrame } from "../doc/frames";
import { type Frame, type Item, idOf, type Point } from "../doc/types";
import { useEditor, useTab, useUi } from "../editor";
import { graphOf } from "../store/tabs";
import { toneOf } from "../ui/tones";
import css from "./FrameCard.module.css";
import type { FlowNode } from "./flow";
import { TitleInput } from "./TitleInput";
import { useSelected } from "./useNode";

export const FrameCard = memo(function FrameCard({ id: key }: NodeProps<FlowNode>) {
  const id = idOf(key as Item);
  const { tabs } = useEditor();
  const frame = useTab((tab) => graphOf(tab).layout.frames?.[id]);
  const locked = useTab((tab) => tab.locked) ?? false;
  const selected = useSelected(`f:${id}`);
  if (!frame) return null;
  const change = (part: Partial<Frame>, tag: string) =>
    tabs.editGraph((graph) => editFrame(graph, id, part), tag);
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
        ...(frame.colour && { "--tint": toneOf(frame.colour) }),
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
      <FrameHeader id={id} frame={frame} open={selected && !locked} />
    </div>
  );
});

interface HeaderProps {
  readonly id: string;
  readonly frame: Frame;
  /** It is selected and may be changed. */
  readonly open: boolean;
}

function FrameHeader({ id, frame, open }: HeaderProps) {
  const { tabs, ui } = useEditor();
  const renaming = useUi((state) => state.renaming === `f:${id}`);
  const rename = (on: boolean) => ui.setState({ renaming: on ? `f:${id}` : null });
  const change = (part: Partial<Frame>, tag = "") =>
    tabs.editGraph((graph) => editFrame(graph, id, part), tag);
  return (
    <header className={`${css.header} frame-handle`}>
      {renaming ? (
        <TitleInput
          label="Title of the frame"
          value={frame.title}
          className={css.title ?? ""}
          end={(text) => {
            if (text !== null && text !== frame.title) change({ title: text });
            rename(false);
          }}
        />
      ) : (
        <button
          type="button"
          className={css.title}
          onDoubleClick={() => rename(true)}
          title="Double click renames"
        >
          {frame.title || "Frame"}
        </button>
      )}
      {open && (
        <input
          type="color"
          className={`${css.colour} nodrag`}
          aria-label="Colour of the frame"
          value={frame.colour ?? "#5b6b85"}
          onChange={(event) => change({ colour: event.target.value }, `colour f:${id}`)}
          onBlur={() => tabs.seal()}
        />
      )}
    </header>
  );
}
