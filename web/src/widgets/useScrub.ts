/** Change a number by dragging it sideways. */

import { type PointerEvent, useRef } from "react";
import { between, type Limits } from "../doc/numbers";

interface Scrub {
  readonly disabled: boolean;
  readonly start: number;
  readonly step: number;
  readonly limits: Limits;
  readonly onMove: (value: number) => void;
  readonly onEnd: (value: number) => void;
}

/** Below so many pixels a press is a click. */
const SLACK = 3;
/** Pixels of the screen for one step, whatever the zoom. */
const STRIDE = 4;

interface Drag {
  readonly pointer: number;
  readonly start: number;
  x: number;
  moved: number;
  value: number;
  given: number;
  active: boolean;
}

export function useScrub({ disabled, start, step, limits, onMove, onEnd }: Scrub) {
  const drag = useRef<Drag | null>(null);
  const finish = (event: PointerEvent<HTMLInputElement>) => {
    const now = drag.current;
    if (!now || now.pointer !== event.pointerId) return;
    drag.current = null;
    if (now.active) onEnd(now.given);
    else if (event.type === "pointerup") event.currentTarget.select();
  };
  return {
    onPointerDown(event: PointerEvent<HTMLInputElement>) {
      if (disabled || event.button !== 0) return;
      // No caret and no text selection while it may become a drag.
      event.preventDefault();
      event.currentTarget.focus({ preventScroll: true });
      event.currentTarget.setPointerCapture?.(event.pointerId);
      const { pointerId, clientX } = event;
      drag.current = {
        pointer: pointerId,
        x: clientX,
        moved: 0,
        start,
        value: start,
        given: start,
        active: false,
      };
    },
    onPointerMove(event: PointerEvent<HTMLInputElement>) {
      const now = drag.current;
      if (!now || now.pointer !== event.pointerId) return;
      const pixels = event.clientX - now.x;
      now.x = event.clientX;
      now.moved += pixels;
      if (!now.active) {
        if (Math.abs(now.moved) < SLACK) return;
        now.active = true;
      }
      const fine = event.shiftKey ? 0.1 : 1;
      // Held at the limits, so that the way back begins at once.
      now.value = between(now.value + (pixels / STRIDE) * step * fine, limits);
      const unit = step * fine;
      const next = between(now.start + Math.round((now.value - now.start) / unit) * unit, limits);
      if (Math.abs(next - now.given) < unit / 1000) return;
      now.given = next;
      onMove(next);
    },
    onPointerUp: finish,
    onPointerCancel: finish,
    onLostPointerCapture: finish,
  };
}
