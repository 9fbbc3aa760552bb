/** Pixels and masks on canvases. Large ones are shown smaller: only what is saved must be exact. */

import type { Mask, Rect } from "./mask";
import type { Pixels } from "./png";

/** Pixels of the longer side of a canvas; beyond, browsers get slow or draw nothing. */
const LONGEST = 4096;

/** Pixels of a canvas for one of the picture. */
const shownScale = ({ width, height }: { width: number; height: number }): number =>
  Math.min(1, LONGEST / Math.max(width, height));

export function sizeCanvas(canvas: HTMLCanvasElement, picture: Pixels | Mask): void {
  const scale = shownScale(picture);
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
}

/** The colours of a picture as if nothing of it were transparent. */
export function showPixels(canvas: HTMLCanvasElement, pixels: Pixels): void {
  sizeCanvas(canvas, pixels);
  const { channels, data } = pixels;
  const step = channels === 1 ? 0 : 1;
  paint(
    canvas,
    pixels,
    { left: 0, top: 0, right: pixels.width, bottom: pixels.height },
    (drawn, to, at) => {
      const from = at * channels;
      drawn[to] = data[from] ?? 0;
      drawn[to + 1] = data[from + step] ?? 0;
      drawn[to + 2] = data[from + 2 * step] ?? 0;
      drawn[to + 3] = 255;
    },
  );
}

/** The mask as a colour, as strong as the mask is, in an area of it that has changed. */
export function showMask(canvas: HTMLCanvasElement, mask: Mask, area: Rect, colour: Colour): void {
  paint(canvas, mask, area, (drawn, to, at) => {
    drawn[to] = colour[0];
    drawn[to + 1] = colour[1];
    drawn[to + 2] = colour[2];
    drawn[to + 3] = mask.data[at] ?? 0;
  });
}

export type Colour = readonly [number, number, number];

function paint(
  canvas: HTMLCanvasElement,
  picture: Pixels | Mask,
  area: Rect,
  put: (drawn: Uint8ClampedArray, to: number, at: number) => void,
): void {
  const context = canvas.getContext("2d");
  const [across, down] = [canvas.width / picture.width, canvas.height / picture.height];
  const [left, top] = [Math.floor(area.left * across), Math.floor(area.top * down)];
  const width = Math.min(canvas.width, Math.ceil(area.right * across)) - left;
  const height = Math.min(canvas.height, Math.ceil(area.bottom * down)) - top;
  if (!context || width <= 0 || height <= 0) return;
  const drawn = context.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(picture.height - 1, Math.floor((top + y + 0.5) / down)) * picture.width;
    for (let x = 0; x < width; x++) {
      const column = Math.min(picture.width - 1, Math.floor((left + x + 0.5) / across));
      put(drawn.data, 4 * (y * width + x), row + column);
    }
  }
  context.putImageData(drawn, left, top);
}
