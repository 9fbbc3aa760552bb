/** Views of the canvas in which something is seen: all of it, or where one begins to read. */

import type { Box } from "../doc/geometry";
import type { Point } from "../doc/types";
import type { Viewport } from "../store/tabs";

/** Free room around what is fitted, in pixels of the screen. */
const MARGIN = 40;
/** A zoom at which prompts and numbers are read without effort. */
const READING = 0.73;
/** A zoom at which a card can be read. */
export const READABLE = 0.6;
/** Room left and above of what is read. */
const EDGE = 24;
/** A graph that is so many times larger than the screen begins as a whole. */
const VAST = 4;

/** The view in which a box is whole, and not larger than `most`. */
export function fitting(box: Box, [width, height]: Point, most: number): Viewport {
  const zoom = Math.max(
    0.04,
    Math.min(most, (width - MARGIN) / box.width, (height - MARGIN) / box.height),
  );
  return {
    zoom,
    x: width / 2 - (box.x + box.width / 2) * zoom,
    y: height / 2 - (box.y + box.height / 2) * zoom,
  };
}

/**
 * The view in which a graph is seen first: whole, if it can be read then.
 *
 * Else it can be read and begins where it begins, at the left, since there are the prompts; the map
 * shows that there is more. Of a vast graph that would show too little.
 */
export function beginning(box: Box, size: Point): Viewport {
  const whole = fitting(box, size, 1);
  const [width, height] = size;
  const [wide, high] = [box.width * READING, box.height * READING];
  if (whole.zoom >= READING || wide > VAST * width || high > VAST * height) return whole;
  const start = (from: number, length: number, room: number) =>
    length + 2 * EDGE > room ? EDGE - from * READING : (room - length) / 2 - from * READING;
  return { zoom: READING, x: start(box.x, wide, width), y: start(box.y, high, height) };
}
