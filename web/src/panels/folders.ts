/** Saved workflows as a tree: the parts of their names are folders. */

import type { WorkflowInfo } from "../gen/api";

export interface Folder {
  /** Its last part; empty for the root. */
  readonly name: string;
  /** All parts, joined by `/`. */
  readonly path: string;
  readonly folders: readonly Folder[];
  readonly workflows: readonly WorkflowInfo[];
}

/** Folders and workflows in the order of their names. */
export function treeOf(workflows: readonly WorkflowInfo[], path = ""): Folder {
  const start = path ? `${path}/` : "";
  const here: WorkflowInfo[] = [];
  const within = new Map<string, WorkflowInfo[]>();
  for (const info of workflows) {
    const [first = "", ...rest] = info.path.slice(start.length).split("/");
    if (rest.length === 0) here.push(info);
    else within.set(first, [...(within.get(first) ?? []), info]);
  }
  const names = [...within.keys()].sort((a, b) => a.localeCompare(b));
  return {
    name: path.split("/").at(-1) ?? "",
    path,
    folders: names.map((name) => treeOf(within.get(name) ?? [], `${start}${name}`)),
    workflows: here.sort((a, b) => a.path.localeCompare(b.path)),
  };
}
