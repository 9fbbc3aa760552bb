/** Keys on the canvas that depend on where the focus is: Tab walks the nodes in their flow. */

import { type KeyboardEvent, useMemo } from "react";
import { flowOrder } from "../doc/order";
import { type Item, idOf, kindOf } from "../doc/types";
import { useEditor } from "../editor";
import { graphOf } from "../store/tabs";
import { focusNode } from "./focus";

export function useCanvasKeys() {
  const editor = useEditor();
  return useMemo(
    () => ({
      onKeyDown(event: KeyboardEvent) {
        const card =
          event.target instanceof HTMLElement && event.target.matches("[data-node]")
            ? event.target
            : null;
        const tab = editor.tabs.current();
        if (!card || !tab) return;
        const id = card.dataset.node ?? "";
        if (event.key === "Tab" && !event.altKey) {
          const order = flowOrder(graphOf(tab));
          const next = order[order.indexOf(id) + (event.shiftKey ? -1 : 1)];
          if (next === undefined) return;
          event.preventDefault();
          focusNode(editor, next);
        } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) {
          event.preventDefault();
          const inner = card.querySelector<HTMLElement>(
            "input, textarea, select, [role=button], button",
          );
          inner?.focus();
        }
      },
      onFocus(event: { target: EventTarget }) {
        const card =
          event.target instanceof HTMLElement ? event.target.closest(".react-flow__node") : null;
        const key = card?.getAttribute("data-id") as Item | null;
        // A click selects by itself, and may take away; only keys select by the focus alone.
        if (!(event.target as HTMLElement).matches(":focus-visible")) return;
        if (key && kindOf(key) === "n" && idOf(key) && !editor.tabs.current()?.selection.has(key)) {
          editor.tabs.select([key]);
        }
      },
    }),
    [editor],
  );
}
