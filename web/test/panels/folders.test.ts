import { describe, expect, it } from "vitest";
import type { WorkflowInfo } from "../../src/gen/api";
import { type Folder, treeOf } from "../../src/panels/folders";

const saved = (path: string) => ({ path }) as WorkflowInfo;

/** A tree as lines, a level deeper with each dash. */
const lines = (folder: Folder, depth = ""): string[] => [
  ...folder.folders.flatMap((one) => [`${depth}${one.path}/`, ...lines(one, `${depth}-`)]),
  ...folder.workflows.map((one) => `${depth}${one.path}`),
];

describe("the tree of saved workflows", () => {
  it("has a folder for each part of a name, and all in order", () => {
    const tree = treeOf(["zoo", "b/y", "a", "b/c/deep", "b/x", "b"].map(saved));
    expect(lines(tree)).toEqual(["b/", "-b/c/", "--b/c/deep", "-b/x", "-b/y", "a", "b", "zoo"]);
    expect(tree.folders[0]?.folders[0]?.name).toBe("c");
  });

  it("is empty if nothing is saved", () => {
    expect(lines(treeOf([]))).toEqual([]);
  });
});
