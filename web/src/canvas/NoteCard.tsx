/** A note in Markdown; double click or Enter edits it. */

import { type NodeProps, NodeResizer } from "@xyflow/react";
import { memo, useState } from "react";
import { editNote } from "../doc/notes";
import { type Item, idOf, type Note, type Point } from "../doc/types";
import { useEditor, useTab } from "../editor";
import { graphOf } from "../store/tabs";
import { Markdown } from "../ui/Markdown";
import type { FlowNode } from "./flow";
import css from "./NoteCard.module.css";
import { useSelected } from "./useNode";

export const NoteCard = memo(function NoteCard({ id: key }: NodeProps<FlowNode>) {
  const id = idOf(key as Item);
  const { tabs } = useEditor();
  const note = useTab((tab) => graphOf(tab).layout.notes?.[id]);
  const locked = useTab((tab) => tab.locked) ?? false;
  const selected = useSelected(`t:${id}`);
  const [editing, setEditing] = useState(false);
  if (!note) return null;
  const change = (part: Partial<Note>, tag: string) =>
    tabs.editGraph((graph) => editNote(graph, id, part), tag);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a note of the canvas is no article of the page
    <div
      className={css.note}
      role="group"
      aria-label="Note"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: Enter edits it
      tabIndex={0}
      data-note={id}
      data-selected={selected || undefined}
      style={{
        width: note.size[0],
        height: note.size[1],
        ...(note.colour && { "--tint": note.colour }),
      }}
      onDoubleClick={(event) => {
        event.stopPropagation();
        if (!locked) setEditing(true);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && event.target === event.currentTarget && !locked) {
          event.preventDefault();
          setEditing(true);
        }
      }}
    >
      <NodeResizer
        isVisible={selected && !locked}
        minWidth={120}
        minHeight={60}
        onResize={(_, to) => {
          const at: Point = [Math.round(to.x), Math.round(to.y)];
          change({ at, size: [Math.round(to.width), Math.round(to.height)] }, `size t:${id}`);
        }}
        onResizeEnd={() => tabs.seal()}
      />
      {editing ? (
        <textarea
          className={`${css.text} nodrag nowheel nopan`}
          aria-label="Text of the note"
          value={note.text}
          ref={(area) => {
            if (area && document.activeElement !== area) area.focus();
          }}
          onChange={(event) => change({ text: event.target.value }, `text t:${id}`)}
          onBlur={() => {
            tabs.seal();
            setEditing(false);
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
      ) : (
        <div className={css.shown}>
          <Markdown text={note.text || "*An empty note: double click to write.*"} />
        </div>
      )}
    </div>
  );
});
