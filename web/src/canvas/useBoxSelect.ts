/** A box drawn over the canvas selects what it touches, near and far alike. */

import {
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Item, Point } from "../doc/types";
import { useEditor } from "../editor";
import { itemsIn } from "./hit";

/** In pixels of the frame. */
export interface ScreenBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const STARTED = 4;

/** @param drags What a plain drag on nothing does; with Shift it does the other. */
export function useBoxSelect(frame: RefObject<HTMLDivElement | null>, drags: "select" | "pan") {
  const editor = useEditor();
  const { tabs, canvas } = editor;
  const [box, setBox] = useState<ScreenBox | null>(null);
  const start = useRef<{
    at: Point;
    before: ReadonlySet<Item>;
    add: boolean;
    moved: boolean;
  } | null>(null);
  const space = useSpace();

  const onPointerDown = useCallback(
    (event: PointerEvent) => {
      const pane =
        event.target instanceof Element && event.target.classList.contains("react-flow__pane");
      if (!pane || event.button !== 0 || space.current) return;
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      if (drags === "pan" && !event.shiftKey) {
        tabs.select([]);
        return;
      }
      const add = event.shiftKey || event.ctrlKey || event.metaKey;
      const before = tabs.current()?.selection ?? new Set<Item>();
      start.current = { at: [event.clientX, event.clientY], before, add, moved: false };
      frame.current?.setPointerCapture(event.pointerId);
    },
    [tabs, drags, frame, space],
  );
  const onPointerMove = useCallback(
    (event: PointerEvent) => {
      const began = start.current;
      const bounds = frame.current?.getBoundingClientRect();
      if (!began || !bounds) return;
      const [x, y] = began.at;
      if (!began.moved && Math.hypot(event.clientX - x, event.clientY - y) < STARTED) return;
      began.moved = true;
      const left = Math.min(x, event.clientX);
      const top = Math.min(y, event.clientY);
      const width = Math.abs(event.clientX - x);
      const height = Math.abs(event.clientY - y);
      setBox({ left: left - bounds.left, top: top - bounds.top, width, height });
      const [x1, y1] = canvas.toCanvas([left, top]);
      const [x2, y2] = canvas.toCanvas([left + width, top + height]);
      const found = itemsIn(editor, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
      tabs.select(began.add ? [...began.before, ...found] : found);
    },
    [canvas, editor, frame, tabs],
  );
  const onPointerUp = useCallback(() => {
    const began = start.current;
    start.current = null;
    setBox(null);
    if (began && !began.moved && !began.add) tabs.select([]);
  }, [tabs]);
  const handlers = useMemo(
    () => ({ onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp }),
    [onPointerDown, onPointerMove, onPointerUp],
  );
  return { box, handlers };
}

/** Whether the space bar is held: then a drag moves the view. */
function useSpace(): RefObject<boolean> {
  const held = useRef(false);
  useEffect(() => {
    const set = (event: KeyboardEvent) => {
      if (event.code === "Space") held.current = event.type === "keydown";
    };
    const lost = () => {
      held.current = false;
    };
    window.addEventListener("keydown", set, true);
    window.addEventListener("keyup", set, true);
    window.addEventListener("blur", lost);
    return () => {
      window.removeEventListener("keydown", set, true);
      window.removeEventListener("keyup", set, true);
      window.removeEventListener("blur", lost);
    };
  }, []);
  return held;
}
