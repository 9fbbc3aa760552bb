/** What others may ask of the canvas: what is in view, and to look somewhere else. */

import type { Box } from "../doc/geometry";
import type { Point } from "../doc/types";
import type { Viewport } from "../store/tabs";

export interface CanvasHandle {
  /** The newest place of the pointer over the canvas, else the middle of it; in its coordinates. */
  pointer(): Point;
  /** Whether the pointer was seen over the canvas, so that `pointer` is not just its middle. */
  pointed(): boolean;
  /** A place of the screen on the canvas. */
  toCanvas(screen: Point): Point;
  toScreen(place: Point): Point;
  viewport(): Viewport;
  setViewport(viewport: Viewport, animated?: boolean): void;
  /** Look at a box, whole and not larger than it is. */
  fit(box: Box, options?: { readonly most?: number; readonly animated?: boolean }): void;
  /** Look at the middle of a box without another zoom, unless it would be too small to read. */
  centre(box: Box): void;
  zoomBy(factor: number): void;
  zoomTo(zoom: number): void;
  /** Size of the canvas on the screen. */
  size(): Point;
}

/** A canvas that is not there yet answers with nothing in view; `attach` puts the real one in. */
export interface CanvasSlot extends CanvasHandle {
  attach(handle: CanvasHandle): () => void;
}

const ABSENT: CanvasHandle = {
  pointer: () => [0, 0],
  pointed: () => false,
  toCanvas: (screen) => screen,
  toScreen: (place) => place,
  viewport: () => ({ x: 0, y: 0, zoom: 1 }),
  setViewport: () => {},
  fit: () => {},
  centre: () => {},
  zoomBy: () => {},
  zoomTo: () => {},
  size: () => [0, 0],
};

export function makeCanvasSlot(): CanvasSlot {
  let now = ABSENT;
  return {
    pointer: () => now.pointer(),
    pointed: () => now.pointed(),
    toCanvas: (screen) => now.toCanvas(screen),
    toScreen: (place) => now.toScreen(place),
    viewport: () => now.viewport(),
    setViewport: (viewport, animated) => now.setViewport(viewport, animated),
    fit: (box, options) => now.fit(box, options),
    centre: (box) => now.centre(box),
    zoomBy: (factor) => now.zoomBy(factor),
    zoomTo: (zoom) => now.zoomTo(zoom),
    size: () => now.size(),
    attach(handle) {
      now = handle;
      return () => {
        if (now === handle) now = ABSENT;
      };
    },
  };
}
