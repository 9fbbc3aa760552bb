/** The node under the pointer, which is a real element even from afar. */

import { useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect, useState } from "react";
import type { Item } from "../doc/types";
import { useEditor } from "../editor";
import { nodeAt } from "./hit";

export function useHovered(frame: RefObject<HTMLDivElement | null>, far: boolean): Item | null {
  const editor = useEditor();
  const flow = useStoreApi();
  const [hovered, setHovered] = useState<Item | null>(null);
  useEffect(() => {
    const element = frame.current;
    if (!element || !far) {
      setHovered(null);
      return;
    }
    const look = (event: PointerEvent) => {
      if (event.buttons !== 0) return; // a gesture keeps what it began with
      const bounds = element.getBoundingClientRect();
      const [x, y, zoom] = flow.getState().transform;
      const at = [
        (event.clientX - bounds.left - x) / zoom,
        (event.clientY - bounds.top - y) / zoom,
      ] as const;
      const id = nodeAt(editor, at);
      setHovered(id === null ? null : `n:${id}`);
    };
    element.addEventListener("pointermove", look);
    return () => element.removeEventListener("pointermove", look);
  }, [editor, flow, frame, far]);
  return hovered;
}
