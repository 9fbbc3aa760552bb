/** What the rest of the editor may ask of the canvas, answered by xyflow. */

import { useReactFlow, useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { itemsOf } from "../doc/boxes";
import type { Point } from "../doc/types";
import { type Editor, useEditor } from "../editor";
import { graphOf, scopeKey, type Viewport } from "../store/tabs";
import type { CanvasSlot } from "./handle";
import { boxAround } from "./hit";
import { makeHandle } from "./make_handle";
import { beginning } from "./views";

/**
 * @param size Of the canvas as it begins, in pixels of the screen.
 * @returns the view to begin with, and whether the canvas can be used.
 */
export function useCanvasHandle(
  frame: RefObject<HTMLDivElement | null>,
  size: () => Point,
): { first: Viewport; ready: boolean } {
  const editor = useEditor();
  const flow = useReactFlow();
  const store = useStoreApi();
  const [ready, setReady] = useState(false);
  const [first] = useState(() => {
    const view = firstView(editor, size());
    // xyflow's store begins with it too. Otherwise its first picture would be of another view, and
    // the next would mount every card of a large graph that is to be seen from afar.
    store.setState({ transform: [view.x, view.y, view.zoom] });
    return view;
  });
  const pointer = usePointer(frame);
  const handle = useMemo(
    () => makeHandle(frame, pointer, flow, store),
    [flow, frame, pointer, store],
  );
  useEffect(() => (editor.canvas as CanvasSlot).attach(handle), [editor, handle]);
  useEffect(() => {
    keepView(editor, first);
    setReady(true);
  }, [editor, first]);
  return { first, ready };
}

/** Where the pointer was last, on the screen; null until it has moved over the canvas. */
function usePointer(frame: RefObject<HTMLDivElement | null>): RefObject<Point | null> {
  const last = useRef<Point | null>(null);
  useEffect(() => {
    const canvas = frame.current;
    const moved = (event: PointerEvent) => {
      last.current = [event.clientX, event.clientY];
    };
    canvas?.addEventListener("pointermove", moved);
    return () => canvas?.removeEventListener("pointermove", moved);
  }, [frame]);
  return last;
}

/** What was in view the last time, else where the graph begins. */
function firstView(editor: Editor, size: Point): Viewport {
  const tab = editor.tabs.current();
  const seen = tab?.viewports[scopeKey(tab.scope)];
  if (!tab || seen) return seen ?? { x: 0, y: 0, zoom: 1 };
  const box = boxAround(editor, itemsOf(graphOf(tab)));
  return box ? beginning(box, size) : { x: 0, y: 0, zoom: 1 };
}

/** Remember what is in view of the graph that is shown. */
export function keepView({ tabs }: Editor, view: Viewport): void {
  const tab = tabs.current();
  if (tab) tabs.patch(tab.id, { viewports: { ...tab.viewports, [scopeKey(tab.scope)]: view } });
}
