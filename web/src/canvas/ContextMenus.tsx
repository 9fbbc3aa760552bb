/** The menu of what is right-clicked: a node, a wire, a frame, or the canvas itself. */

import { type MouseEvent, type ReactNode, useState } from "react";
import { type MenuPlace, menuFor } from "../commands/menus";
import { segmentsOf } from "../doc/reroutes";
import { type Item, kindOf } from "../doc/types";
import { useEditor } from "../editor";
import { graphOf } from "../store/tabs";
import { MenuAt } from "../ui/Menu";

interface Open {
  readonly screen: { readonly x: number; readonly y: number };
  readonly place: MenuPlace;
}

/** What a right click is about; null where the browser's own menu is right: in texts. */
function placeOf(event: MouseEvent): MenuPlace | Item[] | null {
  if (!(event.target instanceof Element)) return null;
  if (event.target.closest("input, textarea, [contenteditable]")) return null;
  const node = event.target.closest(".react-flow__node")?.getAttribute("data-id");
  if (node) return [node as Item];
  return event.target.closest(".react-flow__edge") ? "wire" : "canvas";
}

export function ContextMenus({ children }: { children: ReactNode }) {
  const editor = useEditor();
  const [open, setOpen] = useState<Open | null>(null);
  const onContextMenu = (event: MouseEvent) => {
    const found = placeOf(event);
    if (found === null) return;
    event.preventDefault();
    const { tabs } = editor;
    let place: MenuPlace = "canvas";
    if (Array.isArray(found)) {
      const [key] = found;
      if (!key) return;
      if (!tabs.current()?.selection.has(key)) tabs.select([key]);
      place = kindOf(key) === "n" ? "node" : "part";
    } else if (found === "wire") {
      const edge = (event.target as Element).closest(".react-flow__edge")?.getAttribute("data-id");
      const tab = tabs.current();
      const segment = tab && segmentsOf(graphOf(tab)).find((one) => one.id === edge);
      tabs.select((segment?.wires ?? []).map((key): Item => `w:${key}`));
      place = "wire";
    }
    setOpen({ screen: { x: event.clientX, y: event.clientY }, place });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the menu key does the same on what is focused
    <div style={CONTENTS} onContextMenu={onContextMenu}>
      {children}
      <MenuAt
        at={open?.screen ?? null}
        label="Canvas menu"
        items={open ? menuFor(open.place, editor) : []}
        onClose={() => setOpen(null)}
      />
    </div>
  );
}

const CONTENTS = { display: "contents" } as const;
