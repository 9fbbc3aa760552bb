/** Looking at a node and focusing its card or one of its sockets, which may have to be mounted first. */

import { type Socket, socketPoint } from "../doc/sockets";
import type { Point } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { boxAround } from "./hit";
import { socketHandle } from "./ports";
import { isSeen } from "./reveal";

const FRAMES = 30;

/** Select a node and look there; the focus stays where it is. */
export function showNode(editor: Editor, id: string): void {
  editor.tabs.select([`n:${id}`]);
  const box = boxAround(editor, [`n:${id}`]);
  if (box) editor.canvas.centre(box);
}

export function focusNode(editor: Editor, id: string): void {
  const box = boxAround(editor, [`n:${id}`]);
  focusIn(editor, id, "", box && [box.x, box.y]);
}

export function focusSocket(editor: Editor, socket: Socket): void {
  const tab = editor.tabs.current();
  if (!tab) return;
  const { library } = editor.library.getState();
  const at = socketPoint(socket, graphOf(tab), workflowOf(tab), library);
  const handle = CSS.escape(socketHandle(socket));
  focusIn(editor, socket.node, ` [data-handleid="${handle}"]`, at);
}

/** Focus what a selector says of a card, and look there; an empty one means the card itself. */
function focusIn(editor: Editor, id: string, selector: string, at: Point | null): void {
  editor.tabs.select([`n:${id}`]);
  const frame = document.querySelector<HTMLElement>("[data-canvas]");
  const wanted = () =>
    frame?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]${selector}`);
  const box = boxAround(editor, [`n:${id}`]);
  if (box && at && !isSeen(editor, at)) editor.canvas.centre(box);
  focusSoon(wanted);
}

/** Focus what may have to be mounted first, or waits for a menu to close. */
export function focusSoon(wanted: () => HTMLElement | null | undefined): void {
  let left = FRAMES;
  const focus = () => {
    const mounted = wanted();
    mounted?.focus({ preventScroll: true });
    if (mounted && document.activeElement === mounted) return;
    left -= 1;
    if (left > 0) requestAnimationFrame(focus);
  };
  // At once where that can be, so that the next key finds it.
  focus();
}
