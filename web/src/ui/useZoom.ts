/** Zoom and pan of a picture in a frame: by wheel at the pointer, by drag, by two fingers. */

import { type PointerEvent, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { centred, fitted, moved, placeAt, type Size, type View, zoomedAt } from "../pictures/view";

type Point = readonly [number, number];

export interface Zoom {
  readonly frame: RefObject<HTMLDivElement | null>;
  readonly view: View;
  readonly fit: () => void;
  /** A pixel of the picture is one of the page. */
  readonly actual: () => void;
  /** At the middle of the frame. */
  readonly by: (factor: number) => void;
  readonly pan: (dx: number, dy: number) => void;
  /** The point of the picture under the pointer. */
  readonly place: (event: { readonly clientX: number; readonly clientY: number }) => Point;
  /**
   * To be told of every pointer; each says whether the pointer moves the picture, so that it should
   * do nothing else. `pans`: it moves the picture even alone; two fingers always do.
   */
  readonly down: (event: PointerEvent, pans: boolean) => boolean;
  readonly move: (event: PointerEvent) => boolean;
  readonly up: (event: PointerEvent) => boolean;
}

const PER_PIXEL_OF_WHEEL = 0.0015;
const LINE_OF_WHEEL = 16;

export function useZoom(picture: Size): Zoom {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ scale: 1, x: 0, y: 0 });
  const seen = useRef(view);
  seen.current = view;
  const { width, height } = picture;
  const made = useMemo(() => makeZoom(frame, { width, height }, seen, setView), [width, height]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    // React's own wheel events cannot keep the page from zooming.
    element.addEventListener("wheel", made.wheel, { passive: false });
    made.fit();
    const watch = new ResizeObserver(made.resized);
    watch.observe(element);
    return () => {
      element.removeEventListener("wheel", made.wheel);
      watch.disconnect();
    };
  }, [made]);
  return { frame, view, ...made };
}

function makeZoom(
  frame: RefObject<HTMLDivElement | null>,
  picture: Size,
  seen: RefObject<View>,
  show: (view: View) => void,
) {
  const held = new Map<number, Point>();
  let panning = false;
  let fits = true;
  const bounds = () => frame.current?.getBoundingClientRect() ?? new DOMRect();
  const inFrame = (event: { clientX: number; clientY: number }): Point => {
    const { left, top } = bounds();
    return [event.clientX - left, event.clientY - top];
  };
  const set = (view: View) => {
    fits = false;
    // Several events may come before the page is drawn again.
    seen.current = view;
    show(view);
  };
  const fitIn = () => {
    set(fitted(picture, bounds()));
    fits = true;
  };
  const follow = (event: PointerEvent) => {
    const before = [...held.values()];
    held.set(event.pointerId, inFrame(event));
    const after = [...held.values()];
    const [from, to] = [middle(before), middle(after)];
    let view = moved(seen.current, to[0] - from[0], to[1] - from[1]);
    const apart = spread(before);
    if (apart > 0) view = zoomedAt(view, spread(after) / apart, to);
    set(view);
  };
  return {
    fit: fitIn,
    actual: () => set(centred(picture, bounds(), 1)),
    by(factor: number) {
      const { width, height } = bounds();
      set(zoomedAt(seen.current, factor, [width / 2, height / 2]));
    },
    pan: (dx: number, dy: number) => set(moved(seen.current, dx, dy)),
    place: (event: { clientX: number; clientY: number }) => placeAt(seen.current, inFrame(event)),
    wheel(event: WheelEvent) {
      event.preventDefault();
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_OF_WHEEL;
      const factor = Math.exp(-event.deltaY * pixels * PER_PIXEL_OF_WHEEL);
      set(zoomedAt(seen.current, factor, inFrame(event)));
    },
    /** What fits goes on fitting when the frame changes. */
    resized: () => {
      if (fits) fitIn();
    },
    down(event: PointerEvent, pans: boolean): boolean {
      if (event.pointerType === "touch" || pans) held.set(event.pointerId, inFrame(event));
      panning = pans || held.size > 1;
      return panning;
    },
    move(event: PointerEvent): boolean {
      if (!held.has(event.pointerId)) return panning;
      if (panning) follow(event);
      // A finger that draws is where it is now when a second one joins it.
      else held.set(event.pointerId, inFrame(event));
      return panning;
    },
    up(event: PointerEvent): boolean {
      held.delete(event.pointerId);
      const was = panning;
      // The finger that is left of two does not begin to draw.
      if (held.size === 0) panning = false;
      return was;
    },
  };
}

const middle = (points: readonly Point[]): Point => [
  points.reduce((sum, [x]) => sum + x, 0) / points.length,
  points.reduce((sum, [, y]) => sum + y, 0) / points.length,
];

/** How far apart two fingers are; 0 for one. */
function spread([one, other]: readonly Point[]): number {
  return one && other ? Math.hypot(one[0] - other[0], one[1] - other[1]) : 0;
}
