/** What commands ask of the selection. */

import { inside } from "../doc/frames";
import { type Graph, type Item, idsOf, kindOf } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";

export const selected = (editor: Editor): ReadonlySet<Item> =>
  editor.tabs.current()?.selection ?? new Set();

/** Ids of the selected nodes that are there. */
export function selectedNodes(editor: Editor): string[] {
  const tab = editor.tabs.current();
  if (!tab) return [];
  const { nodes } = graphOf(tab);
  return idsOf(tab.selection, "n").filter((id) => id in nodes);
}

export const hasTab = (editor: Editor): boolean => editor.tabs.current() !== undefined;
export const editable = (editor: Editor): boolean => editor.tabs.current()?.locked === false;
export const someSelected = (editor: Editor): boolean =>
  editable(editor) && selected(editor).size > 0;
/** Whether nodes are selected, be they locked or not. */
export const nodesInHand = (editor: Editor): boolean => selectedNodes(editor).length > 0;
export const nodesSelected = (editor: Editor): boolean => editable(editor) && nodesInHand(editor);

/** What is selected of what can have a colour: nodes, frames and notes. */
export const coloured = (editor: Editor): Item[] =>
  [...selected(editor)].filter((key) => ["n", "f", "t"].includes(kindOf(key)));
export const colouredSelected = (editor: Editor): boolean =>
  editable(editor) && coloured(editor).length > 0;

/** The selected nodes, and those in selected frames. */
export function meant(editor: Editor): string[] {
  const tab = editor.tabs.current();
  if (!tab) return [];
  const graph = graphOf(tab);
  const items = new Set<Item>(selected(editor));
  for (const frame of idsOf(items, "f")) {
    for (const key of inside(graph, frame, workflowOf(tab), editor.library.getState().library))
      items.add(key);
  }
  return idsOf(items, "n").filter((id) => id in graph.nodes);
}

/** The graph in view; an editor without a tab has no commands that ask for it. */
export function graphInView(editor: Editor): Graph | null {
  const tab = editor.tabs.current();
  return tab ? graphOf(tab) : null;
}
