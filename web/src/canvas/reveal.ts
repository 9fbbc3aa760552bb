/** What is in view, and looking at what the keys went to. */

import { centreOf, holds, within } from "../doc/boxes";
import type { Box } from "../doc/geometry";
import type { Point } from "../doc/types";
import type { Editor } from "../editor";
import { FAR } from "./FarLayer";
import { boxAround } from "./hit";
import { READABLE } from "./views";

/** Room that two nodes must have around them to be seen together, in pixels of the screen. */
const MARGIN = 80;

/** The part of the canvas that is in view, in its coordinates. */
function seen({ canvas }: Editor): Box {
  const { x, y, zoom } = canvas.viewport();
  const [width, height] = canvas.size();
  return { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
}

/** Whether a place of the canvas is in view, and not from so far that no card is drawn there. */
export const isSeen = (editor: Editor, at: Point): boolean =>
  editor.canvas.viewport().zoom >= FAR && holds(seen(editor), at);

/** Look at two nodes together if they can be read then, else at the second. */
export function reveal(editor: Editor, from: string, to: string): void {
  const { canvas } = editor;
  const both = boxAround(editor, [`n:${from}`, `n:${to}`]);
  const second = boxAround(editor, [`n:${to}`]);
  if (!both || !second) return;
  const { zoom } = canvas.viewport();
  if (within(both, seen(editor)) && zoom >= READABLE) return;
  const [width, height] = canvas.size();
  const most = Math.min((width - MARGIN) / both.width, (height - MARGIN) / both.height);
  if (most >= READABLE) canvas.fit(both, { most: Math.max(READABLE, zoom) });
  else if (!within(second, seen(editor)) || zoom < READABLE) canvas.centre(second);
}

/** The place of the canvas that is in the middle of the view. */
export const middleSeen = (editor: Editor): Point => centreOf(seen(editor));
