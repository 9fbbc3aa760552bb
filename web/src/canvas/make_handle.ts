/** The canvas as the rest of the editor sees it: where the view is, and ways to move it. */

import type { ReactFlowInstance, useStoreApi } from "@xyflow/react";
import type { RefObject } from "react";
import type { Point } from "../doc/types";
import type { Viewport } from "../store/tabs";
import { isCalm } from "../ui/motion";
import type { CanvasHandle } from "./handle";
import { fitting, READABLE } from "./views";

const GLIDE = 200;
const FARTHEST = 0.04;
const NEAREST = 3;

type Motion = Pick<
  CanvasHandle,
  "size" | "viewport" | "setViewport" | "zoomTo" | "fit" | "centre" | "zoomBy"
>;

/** @param pointer Where the pointer was last, on the screen. */
export function makeHandle(
  frame: RefObject<HTMLElement | null>,
  pointer: RefObject<Point | null>,
  flow: ReactFlowInstance,
  store: ReturnType<typeof useStoreApi>,
): CanvasHandle {
  const bounds = () => frame.current?.getBoundingClientRect() ?? new DOMRect();
  const viewport = (): Viewport => {
    const [x, y, zoom] = store.getState().transform;
    return { x, y, zoom };
  };
  const over = (): Point | null => {
    const { left, top, right, bottom } = bounds();
    const last = pointer.current;
    const inside = last && last[0] > left && last[0] < right && last[1] > top && last[1] < bottom;
    return inside ? last : null;
  };
  const toCanvas = ([x, y]: Point): Point => {
    const { left, top } = bounds();
    const view = viewport();
    return [(x - left - view.x) / view.zoom, (y - top - view.y) / view.zoom];
  };
  return {
    ...motion(() => [bounds().width, bounds().height], viewport, flow),
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
  };
}

/** Moving the view, which glides unless the user wants no motion. */
function motion(size: () => Point, viewport: () => Viewport, flow: ReactFlowInstance): Motion {
  const setViewport = (view: Viewport, animated = true) =>
    void flow.setViewport(view, { duration: animated && !isCalm() ? GLIDE : 0 });
  const zoomTo = (zoom: number) => {
    const view = viewport();
    const [width, height] = size();
    const next = Math.min(NEAREST, Math.max(FARTHEST, zoom));
    const factor = next / view.zoom;
    setViewport({
      zoom: next,
      x: width / 2 - (width / 2 - view.x) * factor,
      y: height / 2 - (height / 2 - view.y) * factor,
    });
  };
  return {
    size,
    viewport,
    setViewport,
    zoomTo,
    zoomBy: (factor) => zoomTo(viewport().zoom * factor),
    fit: (box, options) => setViewport(fitting(box, size(), options?.most ?? 1), options?.animated),
    centre(box) {
      const [width, height] = size();
      const zoom = Math.max(READABLE, viewport().zoom);
      setViewport({
        zoom,
        x: width / 2 - (box.x + box.width / 2) * zoom,
        y: height / 2 - (box.y + box.height / 2) * zoom,
      });
    },
  };
}
