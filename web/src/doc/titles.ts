/** What a node is called, in words for people. */

import { type Face, faceOf, type Library } from "./library";
import { graphAt, groupAt } from "./scope";
import type { Graph, NodeLayout, Workflow } from "./types";

/** The first paragraph of a description, whose lines are broken where the source needs it. */
export const summaryOf = (description: string): string =>
  (description.split(/\n\s*\n/)[0] ?? "").replace(/\s+/g, " ").trim();

/** The title that the user gave, or that of the node's type. */
export const faceTitle = (face: Face, layout: NodeLayout | undefined): string =>
  layout?.title || face.title;

/** The title of a node of a graph; its id if it is gone. */
export function titleOf(id: string, graph: Graph, workflow: Workflow, library: Library): string {
  const entry = graph.nodes[id];
  if (!entry) return id;
  return faceTitle(faceOf(id, entry, graph, workflow, library), graph.layout.nodes?.[id]);
}

/**
 * The titles on the way to a node by its flat id, `outer/inner`, from the outside in.
 *
 * What the document does not have is called by its id.
 */
function titleAt(flat: string, workflow: Workflow, library: Library): string[] {
  const ids = flat.split("/");
  return ids.map((id, depth) => {
    const scope = ids.slice(0, depth);
    if (groupAt(workflow, scope) === undefined) return id;
    return titleOf(id, graphAt(workflow, scope), workflow, library);
  });
}

/** The same in one line: `Upscale › Sample`. */
export const flatTitle = (flat: string, workflow: Workflow, library: Library): string =>
  titleAt(flat, workflow, library).join(" › ");
