/** The wheel zooms at the pointer; two fingers on a trackpad pan, and pinching zooms. */

import { useReactFlow } from "@xyflow/react";
import { type RefObject, useEffect } from "react";
import { useEditor } from "../editor";

/** A notch of a wheel is a whole step straight up or down; fingers slide in fractions and askew. */
function isTrackpad(
  event: Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode" | "ctrlKey">,
): boolean {
  if (event.ctrlKey || event.deltaMode !== 0) return false;
  return event.deltaX !== 0 || !Number.isInteger(event.deltaY) || Math.abs(event.deltaY) < 30;
}

const LINE = 33;

export function useWheel(frame: RefObject<HTMLDivElement | null>): void {
  const flow = useReactFlow();
  const { settings } = useEditor();
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      if (event.target instanceof Element && event.target.closest(".nowheel")) return;
      event.preventDefault();
      const view = flow.getViewport();
      const wish = settings.getState().values.wheel;
      const pans = wish === "pan" ? !event.ctrlKey : wish === "auto" && isTrackpad(event);
      const unit = event.deltaMode === 1 ? LINE : 1;
      if (pans) {
        const [dx, dy] =
          event.shiftKey && !event.deltaX ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
        void flow.setViewport({ ...view, x: view.x - dx * unit, y: view.y - dy * unit });
        return;
      }
      const speed = event.ctrlKey && isPinch(event) ? 0.01 : 0.0016;
      const zoom = Math.min(3, Math.max(0.04, view.zoom * Math.exp(-event.deltaY * unit * speed)));
      const bounds = element.getBoundingClientRect();
      const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
      const factor = zoom / view.zoom;
      void flow.setViewport({
        zoom,
        x: px - (px - view.x) * factor,
        y: py - (py - view.y) * factor,
      });
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [flow, frame, settings]);
}

/** Browsers report pinching as a wheel with Ctrl and small steps. */
const isPinch = (event: WheelEvent): boolean => Math.abs(event.deltaY) < 30;
