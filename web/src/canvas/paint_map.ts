/** Paints the small map. */

import { boxOf, itemsOf } from "../doc/boxes";
import type { Box } from "../doc/geometry";
import { flatId } from "../doc/scope";
import { idOf, kindOf } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, type Tab, workflowOf } from "../store/tabs";
import { toneIn } from "../ui/tones";
import { inkOf } from "./ink";

export function paintMap(
  pen: CanvasRenderingContext2D,
  editor: Editor,
  tab: Tab,
  area: Box & { readonly scale: number },
  view: Box,
): void {
  const ink = inkOf();
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  const runs = tab.job === null ? undefined : editor.runs.getState().jobs[tab.job]?.nodes;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height);
  pen.setTransform(area.scale, 0, 0, area.scale, -area.x * area.scale, -area.y * area.scale);
  for (const key of itemsOf(graph).sort((a, b) => depth(a) - depth(b))) {
    const box = boxOf(key, graph, workflowOf(tab), library);
    if (!box) continue;
    const kind = kindOf(key);
    const status = kind === "n" ? (runs?.[flatId(tab.scope, idOf(key))]?.status ?? "") : "";
    const own = kind === "f" && graph.layout.frames?.[idOf(key)]?.colour;
    const frame = kind === "f" ? (own ? toneIn(ink.theme, own) : ink.line) : null;
    pen.globalAlpha = frame ? 0.35 : 1;
    pen.fillStyle =
      frame ?? ink.status[status] ?? (tab.selection.has(key) ? ink.selection : ink.shape);
    pen.fillRect(box.x, box.y, box.width, box.height);
  }
  pen.globalAlpha = 1;
  pen.lineWidth = 1.5 / area.scale;
  pen.strokeStyle = ink.selection;
  pen.strokeRect(view.x, view.y, view.width, view.height);
}

/** Frames lie below. */
const depth = (key: string): number => (key.startsWith("f:") ? 0 : 1);
