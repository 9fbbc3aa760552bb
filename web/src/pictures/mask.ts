/**
 * A mask and what is painted on it: a byte a pixel, 255 where it is drawn. It is kept as numbers of
 * its own, not on a canvas, so that what is saved is what was painted, to the bit.
 */

import type { Pixels } from "./png";

export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Whole pixels; `right` and `bottom` are the first beyond it. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export type Place = readonly [x: number, y: number];

export interface Brush {
  /** Across, in pixels of the picture. */
  readonly size: number;
  readonly soft: boolean;
  readonly erases: boolean;
}

/** A soft brush is full up to this part of its radius. */
const CORE = 0.4;

export const isEmpty = ({ left, top, right, bottom }: Rect): boolean =>
  left >= right || top >= bottom;

export const joined = (one: Rect, other: Rect): Rect => ({
  left: Math.min(one.left, other.left),
  top: Math.min(one.top, other.top),
  right: Math.max(one.right, other.right),
  bottom: Math.max(one.bottom, other.bottom),
});

export const wholeOf = ({ width, height }: Mask): Rect => ({
  left: 0,
  top: 0,
  right: width,
  bottom: height,
});

/** The pixels that a line of the brush can reach. */
export function reach(mask: Mask, from: Place, to: Place, size: number): Rect {
  const radius = size / 2 + 1;
  const inside = (value: number, end: number) => Math.min(end, Math.max(0, value));
  return {
    left: inside(Math.floor(Math.min(from[0], to[0]) - radius), mask.width),
    top: inside(Math.floor(Math.min(from[1], to[1]) - radius), mask.height),
    right: inside(Math.ceil(Math.max(from[0], to[0]) + radius), mask.width),
    bottom: inside(Math.ceil(Math.max(from[1], to[1]) + radius), mask.height),
  };
}

/**
 * Paint a line. A pixel is in it if its centre is no farther from the line than half the brush;
 * going over a place twice with a soft brush makes it no harder.
 */
export function paintLine(mask: Mask, from: Place, to: Place, brush: Brush): Rect {
  const area = reach(mask, from, to, brush.size);
  const radius = Math.max(0.5, brush.size / 2);
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const squared = dx * dx + dy * dy;
  const core = brush.soft ? radius * CORE : radius;
  for (let y = area.top; y < area.bottom; y++) {
    for (let x = area.left; x < area.right; x++) {
      const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]];
      const along = squared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
      const far = Math.hypot(px - along * dx, py - along * dy);
      if (far > radius) continue;
      const part = far <= core ? 1 : smooth((radius - far) / (radius - core));
      const at = y * mask.width + x;
      const now = mask.data[at] ?? 0;
      const full = Math.round(255 * part);
      mask.data[at] = brush.erases ? Math.min(now, 255 - full) : Math.max(now, full);
    }
  }
  return area;
}

const smooth = (t: number): number => t * t * (3 - 2 * t);

export function fill(mask: Mask, value: number): Rect {
  mask.data.fill(value);
  return wholeOf(mask);
}

export function invert(mask: Mask): Rect {
  for (let at = 0; at < mask.data.length; at++) mask.data[at] = 255 - (mask.data[at] ?? 0);
  return wholeOf(mask);
}

/** The mask that a picture holds: its alpha. Without a transparent pixel it has none, so nothing is drawn. */
export function maskOf({ width, height, channels, data }: Pixels): Mask {
  const mask = { width, height, data: new Uint8Array(width * height) };
  if (channels !== 4) return mask;
  for (let at = 0; at < mask.data.length; at++) mask.data[at] = data[4 * at + 3] ?? 0;
  if (mask.data.every((value) => value === 255)) mask.data.fill(0);
  return mask;
}

/** The picture with the mask as its alpha; no colour changes. */
export function withMask(pixels: Pixels, mask: Mask): Pixels {
  const { width, height, channels } = pixels;
  const data = new Uint8Array(4 * width * height);
  for (let at = 0; at < width * height; at++) {
    const from = at * channels;
    const step = channels === 1 ? 0 : 1;
    data[4 * at] = pixels.data[from] ?? 0;
    data[4 * at + 1] = pixels.data[from + step] ?? 0;
    data[4 * at + 2] = pixels.data[from + 2 * step] ?? 0;
    data[4 * at + 3] = mask.data[at] ?? 0;
  }
  return { ...pixels, channels: 4, data, colour: channels === 1 ? [] : pixels.colour };
}
