/** Groups as a whole: making, unpacking, naming and copying them. */

import { freshText, unusedGroups, withType } from "./calls";
import { editNodes, without } from "./edits";
import { graphAt, groupOf, type Scope, withGraph, withGroup } from "./scope";
import { type Graph, own, type Workflow } from "./types";

export { makeGroup } from "./make_group";
export { cannotUnpack, unpackGroup } from "./unpack_group";

/** Give a group another name, in all its calls too. Nothing happens if the name is taken. */
export function renameGroup(workflow: Workflow, from: string, to: string): Workflow {
  const graph = own(workflow.groups, from);
  const name = to.trim();
  if (!graph || name === "" || own(workflow.groups, name)) return workflow;
  const names = new Map([[from, name]]);
  const groups = { ...without(workflow.groups, [from]), [name]: graph };
  let next: Workflow = { ...workflow, groups };
  for (const one of [null, ...Object.keys(groups)]) {
    const before: Graph | undefined = one === null ? next : next.groups[one];
    if (!before) continue;
    const after = editNodes(before, Object.keys(before.nodes), (entry) => withType(entry, names));
    if (after !== before) next = withGroup(next, one, after);
  }
  return next;
}

/** Let one node call a copy of its group, so that changes in it are seen by no other call. */
export function groupOfItsOwn(
  workflow: Workflow,
  scope: Scope,
  call: string,
): { readonly workflow: Workflow; readonly name: string } {
  const entry = own(graphAt(workflow, scope).nodes, call);
  const group = entry ? groupOf(entry.type) : null;
  if (group === null) return { workflow, name: "" };
  const copied = duplicateGroup(workflow, group);
  const graph = editNodes(graphAt(copied.workflow, scope), [call], (one) =>
    withType(one, new Map([[group, copied.name]])),
  );
  return { workflow: withGraph(copied.workflow, scope, graph), name: copied.name };
}

/** A copy of a group under a fresh name, which nothing calls yet. */
export function duplicateGroup(
  workflow: Workflow,
  group: string,
): { readonly workflow: Workflow; readonly name: string } {
  const graph = own(workflow.groups, group);
  if (!graph) return { workflow, name: group };
  const name = freshText(group, workflow.groups);
  // What is remembered of a graph is remembered under its name.
  return { workflow: withGroup(workflow, name, { ...graph }), name };
}

/** How many nodes call each group, wherever they are. */
export function countCalls(workflow: Workflow): ReadonlyMap<string, number> {
  const counts = new Map(Object.keys(workflow.groups).map((name) => [name, 0]));
  for (const { nodes } of [workflow, ...Object.values(workflow.groups)]) {
    for (const { type } of Object.values(nodes)) {
      const name = groupOf(type);
      const count = name === null ? undefined : counts.get(name);
      if (name !== null && count !== undefined) counts.set(name, count + 1);
    }
  }
  return counts;
}

/** Leave out the groups that nothing calls. */
export function dropUnusedGroups(workflow: Workflow): Workflow {
  const groups = without(workflow.groups, unusedGroups(workflow));
  return groups === workflow.groups ? workflow : { ...workflow, groups };
}
