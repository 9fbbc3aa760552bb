/**
 * Dragging nodes, frames, notes and reroutes. xyflow follows the pointer with the one that was
 * grabbed; all that moves along is moved here, in the document, as one step of undo.
 */

import type { OnNodeDrag } from "@xyflow/react";
import { useMemo, useRef, useState } from "react";
import { boxOf } from "../doc/boxes";
import { duplicate } from "../doc/clipboard";
import { GRID, place } from "../doc/edits";
import { inside, isPinned } from "../doc/frames";
import { insertOnWire } from "../doc/insert";
import { type Item, idOf, idsOf, kindOf, type Point } from "../doc/types";
import type { Editor } from "../editor";
import { useEditor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import type { FlowNode } from "./flow";
import { wireNear } from "./wire_hit";

interface Drag {
  readonly grabbed: Point;
  readonly starts: ReadonlyMap<Item, Point>;
}

const TAG = "move";

export function useDragging(): {
  held: Item | null;
  handlers: {
    onNodeDragStart: OnNodeDrag<FlowNode>;
    onNodeDrag: OnNodeDrag<FlowNode>;
    onNodeDragStop: OnNodeDrag<FlowNode>;
  };
} {
  const editor = useEditor();
  const drag = useRef<Drag | null>(null);
  const [held, setHeld] = useState<Item | null>(null);
  const handlers = useMemo(
    () => ({
      onNodeDragStart: ((event, node) => {
        const key = node.id;
        const { tabs } = editor;
        tabs.seal();
        const tab = tabs.current();
        if (!tab) return;
        if (!tab.selection.has(key)) tabs.select([key], event.shiftKey ? "add" : "set");
        let items = moving(editor, key);
        if (event.altKey) items = copied(editor, items);
        drag.current = startOf(editor, items, [node.position.x, node.position.y]);
        setHeld(key);
      }) satisfies OnNodeDrag<FlowNode>,
      onNodeDrag: ((event, node) => {
        const now = drag.current;
        if (now)
          moveTo(editor, now, [node.position.x, node.position.y], event.ctrlKey || event.metaKey);
      }) satisfies OnNodeDrag<FlowNode>,
      onNodeDragStop: ((_, node) => {
        const now = drag.current;
        drag.current = null;
        setHeld(null);
        if (now) dropOnWire(editor, now, node.id);
        editor.tabs.seal();
      }) satisfies OnNodeDrag<FlowNode>,
    }),
    [editor],
  );
  return { held, handlers };
}

/** All that moves with what was grabbed: the selection, and what lies in its frames. */
function moving(editor: Editor, grabbed: Item): Item[] {
  const tab = editor.tabs.current();
  if (!tab) return [grabbed];
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  const items = new Set<Item>([grabbed, ...tab.selection]);
  for (const frame of idsOf(items, "f")) {
    for (const key of inside(graph, frame, workflowOf(tab), library)) items.add(key);
  }
  return [...items].filter((key) => kindOf(key) !== "w" && !isPinned(graph, key));
}

/** With Alt the original stays, and a copy of it is what moves. */
function copied(editor: Editor, items: readonly Item[]): Item[] {
  const tab = editor.tabs.current();
  if (!tab) return [...items];
  const made = duplicate(workflowOf(tab), tab.scope, items, [0, 0], true);
  editor.tabs.edit(() => made.workflow, TAG);
  editor.tabs.select(made.items);
  return [...made.items];
}

function startOf(editor: Editor, items: readonly Item[], grabbed: Point): Drag {
  const tab = editor.tabs.current();
  const starts = new Map<Item, Point>();
  if (!tab) return { grabbed, starts };
  const { library } = editor.library.getState();
  for (const key of items) {
    const box = boxOf(key, graphOf(tab), workflowOf(tab), library);
    if (box) starts.set(key, [box.x, box.y]);
  }
  return { grabbed, starts };
}

function moveTo(editor: Editor, drag: Drag, to: Point, free: boolean): void {
  const snap = editor.settings.getState().values.snap !== free;
  const by: Point = [to[0] - drag.grabbed[0], to[1] - drag.grabbed[1]];
  const places = new Map<Item, Point>();
  const round = (value: number) => (snap ? Math.round(value / GRID) * GRID : Math.round(value));
  for (const [key, [x, y]] of drag.starts) places.set(key, [round(x + by[0]), round(y + by[1])]);
  editor.tabs.editGraph((graph) => place(graph, places), TAG);
}

/** A single node that is let go over a wire goes into it, if it fits. */
function dropOnWire(editor: Editor, drag: Drag, key: Item): void {
  if (drag.starts.size !== 1 || kindOf(key) !== "n") return;
  const tab = editor.tabs.current();
  if (!tab) return;
  const [moved] = drag.starts.keys();
  if (!moved) return;
  const id = idOf(moved);
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  const box = boxOf(moved, graph, workflowOf(tab), library);
  const wire = box && wireNear(editor, [box.x + box.width / 2, box.y + 17], id);
  if (!wire) return;
  const next = insertOnWire(graph, workflowOf(tab), library, id, wire);
  if (!next) return;
  editor.tabs.editGraph(() => next, TAG);
  editor.ui.say("The node was put into the wire.");
}
