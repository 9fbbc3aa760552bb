/** What the rest of the editor may ask of the canvas, answered by xyflow. */

import { useReactFlow, useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect, useMemo, useState } from "react";
import { itemsOf } from "../doc/boxes";
import type { Point } from "../doc/types";
import { type Editor, useEditor } from "../editor";
import { graphOf, scopeKey, type Viewport } from "../store/tabs";
import type { CanvasHandle, CanvasSlot } from "./handle";
import { boxAround } from "./hit";
import { beginning, fitting } from "./views";

/** A zoom at which a card can be read. */
export const READABLE = 0.6;
const GLIDE = 200;

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

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
  const handle = useMemo<CanvasHandle>(() => {
    let last: Point | null = null;
    const bounds = () => frame.current?.getBoundingClientRect() ?? new DOMRect();
    const over = (): Point | null => {
      const { left, top, right, bottom } = bounds();
      const inside = last && last[0] > left && last[0] < right && last[1] > top && last[1] < bottom;
      return inside ? last : null;
    };
    const size = (): Point => [bounds().width, bounds().height];
    const viewport = (): Viewport => {
      const [x, y, zoom] = store.getState().transform;
      return { x, y, zoom };
    };
    const toCanvas = ([x, y]: Point): Point => {
      const { left, top } = bounds();
      const view = viewport();
      return [(x - left - view.x) / view.zoom, (y - top - view.y) / view.zoom];
    };
    const setViewport = (view: Viewport, animated = true) =>
      void flow.setViewport(view, { duration: animated && !calm() ? GLIDE : 0 });
    const zoomTo = (zoom: number) => {
      const view = viewport();
      const [width, height] = size();
      const next = Math.min(3, Math.max(0.04, zoom));
      const factor = next / view.zoom;
      setViewport({
        zoom: next,
        x: width / 2 - (width / 2 - view.x) * factor,
        y: height / 2 - (height / 2 - view.y) * factor,
      });
    };
    frame.current?.addEventListener("pointermove", (event) => {
      last = [event.clientX, event.clientY];
    });
    return {
      size,
      viewport,
      setViewport,
      toCanvas,
      toScreen: ([x, y]) => {
        const { left, top } = bounds();
        const view = viewport();
        return [x * view.zoom + view.x + left, y * view.zoom + view.y + top];
      },
      pointer() {
        const { left, top, right, bottom } = bounds();
        return toCanvas(over() ?? [(left + right) / 2, (top + bottom) / 2]);
      },
      pointed: () => over() !== null,
      fit: (box, options) =>
        setViewport(fitting(box, size(), options?.most ?? 1), options?.animated),
      centre(box) {
        const [width, height] = size();
        const zoom = Math.max(READABLE, viewport().zoom);
        setViewport({
          zoom,
          x: width / 2 - (box.x + box.width / 2) * zoom,
          y: height / 2 - (box.y + box.height / 2) * zoom,
        });
      },
      zoomTo,
      zoomBy: (factor) => zoomTo(viewport().zoom * factor),
    };
  }, [flow, frame, store]);
  useEffect(() => (editor.canvas as CanvasSlot).attach(handle), [editor, handle]);
  useEffect(() => {
    keepView(editor, first);
    setReady(true);
  }, [editor, first]);
  return { first, ready };
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
