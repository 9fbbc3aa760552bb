/** Notes: Markdown on the canvas. */

import { freshName, withLayout } from "./edits";
import { type Graph, type Note, own, type Point } from "./types";

export const NOTE_SIZE: Point = [280, 180];

export function addNote(
  graph: Graph,
  at: Point,
  text = "",
): { readonly graph: Graph; readonly id: string } {
  const id = freshName("note", graph.layout.notes ?? {});
  const notes = { ...graph.layout.notes, [id]: { at, size: NOTE_SIZE, text } };
  return { graph: withLayout(graph, { notes }), id };
}

/** Text, colour, size or pin of a note. */
export function editNote(graph: Graph, id: string, part: Partial<Note>): Graph {
  const note = own(graph.layout.notes, id);
  if (!note) return graph;
  return withLayout(graph, { notes: { ...graph.layout.notes, [id]: { ...note, ...part } } });
}
