/** What lies where on the canvas, by the geometry of the document alone. */

import { boxesOf, holds, itemsOf, touch, within } from "../doc/boxes";
import { around, type Box } from "../doc/geometry";
import { type Graph, type Item, idOf, kindOf, type Point } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";

/** The boxes of things of the graph in view. */
function boxesInView(
  { tabs, library }: Editor,
  choose: (graph: Graph) => Iterable<Item>,
): ReadonlyMap<Item, Box> {
  const tab = tabs.current();
  if (!tab) return new Map();
  const graph = graphOf(tab);
  return boxesOf(choose(graph), graph, workflowOf(tab), library.getState().library);
}

/** The box around some items of the graph in view. */
export const boxAround = (editor: Editor, items: Iterable<Item>): Box | null =>
  around([...boxesInView(editor, () => items).values()]);

/** The node at a place; the last of several, which lies on top. */
export function nodeAt(editor: Editor, at: Point): string | null {
  const nodes = (graph: Graph) => Object.keys(graph.nodes).map((id): Item => `n:${id}`);
  const hit = [...boxesInView(editor, nodes)].findLast(([, box]) => holds(box, at));
  return hit ? idOf(hit[0]) : null;
}

/** What a selection box takes: nodes, notes and reroutes that it touches, frames that it holds. */
export const itemsIn = (editor: Editor, area: Box): Item[] =>
  [...boxesInView(editor, itemsOf)].flatMap(([key, box]) =>
    (kindOf(key) === "f" ? within(box, area) : touch(box, area)) ? [key] : [],
  );
