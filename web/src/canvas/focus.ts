/** Looking at a node and focusing its card, which may have to be mounted first. */

import type { Editor } from "../editor";
import { boxAround } from "./hit";

const FRAMES = 30;

export function focusNode(editor: Editor, id: string): void {
  editor.tabs.select([`n:${id}`]);
  const frame = document.querySelector<HTMLElement>("[data-canvas]");
  const card = () => frame?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`);
  const present = card();
  if (present && frame && inView(present, frame)) {
    present.focus({ preventScroll: true });
    return;
  }
  const box = boxAround(editor, [`n:${id}`]);
  if (box) editor.canvas.centre(box);
  let left = FRAMES;
  const wait = () => {
    const mounted = card();
    left -= 1;
    if (mounted) mounted.focus({ preventScroll: true });
    else if (left > 0) requestAnimationFrame(wait);
  };
  requestAnimationFrame(wait);
}

function inView(card: HTMLElement, frame: HTMLElement): boolean {
  const inner = card.getBoundingClientRect();
  const outer = frame.getBoundingClientRect();
  return (
    inner.left >= outer.left &&
    inner.top >= outer.top &&
    inner.left < outer.right &&
    inner.top < outer.bottom
  );
}
