/** A flat area in which a place is picked by dragging; places are 0..1 from its top left. */

import { type PointerEvent, useRef } from "react";

type Place = readonly [x: number, y: number];

export function usePad(disabled: boolean, onPlace: (place: Place, done: boolean) => void) {
  const held = useRef(false);
  const give = (event: PointerEvent<HTMLElement>, done: boolean) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (at: number, from: number, size: number) =>
      size > 0 ? Math.min(1, Math.max(0, (at - from) / size)) : 0;
    onPlace(
      [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)],
      done,
    );
  };
  return {
    onPointerDown(event: PointerEvent<HTMLElement>) {
      if (disabled || event.button !== 0) return;
      event.stopPropagation();
      held.current = true;
      event.currentTarget.setPointerCapture?.(event.pointerId);
      give(event, false);
    },
    onPointerMove(event: PointerEvent<HTMLElement>) {
      if (held.current) give(event, false);
    },
    onPointerUp(event: PointerEvent<HTMLElement>) {
      if (!held.current) return;
      held.current = false;
      give(event, true);
    },
    onPointerCancel() {
      held.current = false;
    },
  };
}
