/** Keys on the canvas that depend on where the focus is: Tab walks the nodes in their flow. */

import { type KeyboardEvent, useMemo } from "react";
import { flowOrder } from "../doc/order";
import { type Item, idOf, kindOf } from "../doc/types";
import { useEditor } from "../editor";
import { graphOf } from "../store/tabs";
import { focusNode } from "./focus";
import { handleSocket } from "./ports";
import { focusSockets, onSocketKey } from "./socket_keys";

/** What Enter on a card goes to first: what Tab would, had it come into the card. */
const FIELD =
  ":is(input, textarea, select, button, [tabindex='0']):not([tabindex='-1'], :disabled)";

export function useCanvasKeys() {
  const editor = useEditor();
  return useMemo(
    () => ({
      onKeyDown(event: KeyboardEvent) {
        if (!(event.target instanceof HTMLElement)) return;
        const handle = event.target.dataset.handleid;
        const owner = event.target.closest<HTMLElement>("[data-node]")?.dataset.node;
        if (handle !== undefined && owner !== undefined) {
          return onSocketKey(editor, event, handleSocket(owner, handle));
        }
        const card = event.target.matches("[data-node]") ? event.target : null;
        if (!card && owner !== undefined && event.key === "Escape" && !event.defaultPrevented) {
          event.preventDefault();
          return focusNode(editor, owner);
        }
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
          const field = card.querySelector<HTMLElement>(FIELD);
          if (field) field.focus();
          else focusSockets(editor, id);
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
