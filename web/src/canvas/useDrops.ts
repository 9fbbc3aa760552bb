/** Things that are dropped on the canvas: files, pictures of the gallery, nodes of the library. */

import { type DragEvent, useMemo } from "react";
import { useEditor } from "../editor";

/** What a drag out of the editor's own panels carries. */
export const DRAGGED_TYPE = "application/x-nodeflow-type";
export const DRAGGED_PICTURE = "application/x-nodeflow-picture";

const TAKEN = [DRAGGED_TYPE, DRAGGED_PICTURE, "Files"];

/** The node that something was dropped on. */
function nodeUnder(event: DragEvent): string | null {
  const card = event.target instanceof Element ? event.target.closest("[data-node]") : null;
  return card?.getAttribute("data-node") ?? null;
}

export function useDrops() {
  const { actions, canvas } = useEditor();
  return useMemo(
    () => ({
      onDragOver(event: DragEvent) {
        if (!TAKEN.some((type) => event.dataTransfer.types.includes(type))) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
      },
      onDrop(event: DragEvent) {
        const { dataTransfer } = event;
        const at = canvas.toCanvas([event.clientX, event.clientY]);
        const onto = nodeUnder(event);
        const type = dataTransfer.getData(DRAGGED_TYPE);
        const digest = dataTransfer.getData(DRAGGED_PICTURE);
        const files = [...dataTransfer.files];
        if (!type && !digest && files.length === 0) return;
        event.preventDefault();
        if (type) actions.nodes.add(type, at);
        else if (digest) void actions.pictures.takeResult(digest, at, onto);
        else void actions.pictures.drop(files, at, onto);
      },
    }),
    [actions, canvas],
  );
}
