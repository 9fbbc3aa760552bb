/** What lies where on the canvas, by the geometry of the document alone. */

import { boxOf, holds, itemsOf, within } from "../doc/boxes";
import { around, type Box } from "../doc/geometry";
import { type Item, kindOf, type Point } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";

/** The box around some items of the graph in view. */
export function boxAround(editor: Editor, items: Iterable<Item>): Box | null {
  const tab = editor.tabs.current();
  if (!tab) return null;
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  const boxes: Box[] = [];
  for (const key of items) {
    const box = boxOf(key, graph, workflowOf(tab), library);
    if (box) boxes.push(box);
  }
  return around(boxes);
}

/** The node at a place; the last of several, which lies on top. */
export function nodeAt(editor: Editor, at: Point): string | null {
  const tab = editor.tabs.current();
  if (!tab) return null;
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  let found: string | null = null;
  for (const id of Object.keys(graph.nodes)) {
    const box = boxOf(`n:${id}`, graph, workflowOf(tab), library);
    if (box && holds(box, at)) found = id;
  }
  return found;
}

/** What a selection box takes: nodes, notes and reroutes that it touches, frames that it holds. */
export function itemsIn(editor: Editor, area: Box): Item[] {
  const tab = editor.tabs.current();
  if (!tab) return [];
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  return itemsOf(graph).filter((key) => {
    const box = boxOf(key, graph, workflowOf(tab), library);
    if (!box) return false;
    const [right, bottom] = [area.x + area.width, area.y + area.height];
    if (kindOf(key) === "f") return within(box, area);
    return (
      box.x <= right &&
      box.y <= bottom &&
      box.x + box.width >= area.x &&
      box.y + box.height >= area.y
    );
  });
}
