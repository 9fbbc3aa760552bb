/** How a picture lies in its frame: a point p of it is seen at `scale * p + [x, y]`. */

export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const LARGEST = 64;
const SMALLEST = 0.01;

/** The whole picture in the middle of the frame; small ones are not made larger. */
export function fitted(picture: Size, frame: Size): View {
  const scale = Math.min(1, frame.width / picture.width, frame.height / picture.height);
  return centred(picture, frame, Math.max(SMALLEST, scale));
}

/** The middle of the picture in the middle of the frame. */
export const centred = (picture: Size, frame: Size, scale: number): View => ({
  scale,
  x: (frame.width - scale * picture.width) / 2,
  y: (frame.height - scale * picture.height) / 2,
});

/** Larger or smaller by a factor, while what is at a point of the frame stays there. */
export function zoomedAt(view: View, factor: number, at: readonly [number, number]): View {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * factor));
  const part = scale / view.scale;
  return { scale, x: at[0] - part * (at[0] - view.x), y: at[1] - part * (at[1] - view.y) };
}

export const moved = (view: View, dx: number, dy: number): View => ({
  ...view,
  x: view.x + dx,
  y: view.y + dy,
});

/** The point of the picture that is seen at a point of the frame. */
export const placeAt = (view: View, at: readonly [number, number]): [number, number] => [
  (at[0] - view.x) / view.scale,
  (at[1] - view.y) / view.scale,
];
