/** Documents from anywhere, made ready for a tab. */

import { ensureLayout } from "../doc/layout_defaults";
import { parseWorkflow } from "../doc/parse";
import { withTodaysNames } from "../doc/todays_names";
import type { Workflow } from "../doc/types";
import type { Editor } from "../editor";

/** No server runs more nodes in one workflow, and the page would stand still over them. */
const MOST_NODES = 50_000;

/** A document from anywhere as the editor has it: whole, in today's names, every node with a place. */
export function ready(editor: Editor, workflow: Workflow): Workflow {
  const { library } = editor.library.getState();
  const graphs = [workflow, ...Object.values(workflow.groups)];
  const count = graphs.reduce((sum, graph) => sum + Object.keys(graph.nodes).length, 0);
  if (count > MOST_NODES) {
    const [has, most] = [count.toLocaleString("en"), MOST_NODES.toLocaleString("en")];
    throw new Error(`It has ${has} nodes, and ${most} is the limit; take it apart.`);
  }
  return ensureLayout(withTodaysNames(parseWorkflow(workflow), library), library);
}

/** The name of a file, without its folders and what kind it is of. */
export const plainName = (name: string): string =>
  name
    .replace(/\.[^.]*$/, "")
    .split("/")
    .at(-1) ?? name;
