/** Which groups call which. */

import { groupOf } from "./scope";
import { GROUP_PREFIX, type Graph, type NodeEntry, own, type Workflow } from "./types";

/** The names of all groups that some nodes call, and of those that these call in turn. */
export function reaches(workflow: Workflow, nodes: Graph["nodes"]): Set<string> {
  const found = new Set<string>();
  const open = [nodes];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of Object.values(next)) {
      const name = groupOf(entry.type);
      const group = name === null ? undefined : own(workflow.groups, name);
      if (name === null || !group || found.has(name)) continue;
      found.add(name);
      open.push(group.nodes);
    }
  }
  return found;
}

/** Whether a call of a group, put into the group `within`, would make that contain itself. */
export function wouldRecurse(workflow: Workflow, group: string, within: string | null): boolean {
  const inner = own(workflow.groups, group);
  if (within === null || !inner) return false;
  return group === within || reaches(workflow, inner.nodes).has(within);
}

/** The groups that nothing calls, from the workflow's own nodes on. */
export function unusedGroups(workflow: Workflow): string[] {
  const used = reaches(workflow, workflow.nodes);
  return Object.keys(workflow.groups).filter((name) => !used.has(name));
}

/** A node that calls its group by the group's new name. */
export function withType(entry: NodeEntry, names: ReadonlyMap<string, string>): NodeEntry {
  const name = groupOf(entry.type);
  const fresh = name === null ? undefined : names.get(name);
  return fresh === undefined ? entry : { ...entry, type: `${GROUP_PREFIX}${fresh}` };
}

/** A free name that may be any text, unlike an id: `Upscale`, `Upscale 2`, ... */
export function freshText(wanted: string, taken: object): string {
  const base = wanted.trim() || "Group";
  if (!Object.hasOwn(taken, base)) return base;
  const stem = base.replace(/ \d+$/, "");
  for (let count = 2; ; count += 1) {
    const name = `${stem} ${count}`;
    if (!Object.hasOwn(taken, name)) return name;
  }
}
