import { describe, expect, it } from "vitest";
import { makeLibrary } from "../../src/doc/library";
import { flatTitle, summaryOf } from "../../src/doc/titles";
import { EMPTY_WORKFLOW, type Workflow } from "../../src/doc/types";

const inner: Workflow["groups"][string] = {
  nodes: { sample: { type: "toys.sample" } },
  inputs: {},
  outputs: {},
  layout: { nodes: { sample: { at: [0, 0], title: "Walk" } } },
};
const workflow: Workflow = {
  ...EMPTY_WORKFLOW,
  nodes: { big: { type: "group:Upscale" }, load: { type: "toys.load_model" } },
  groups: { Upscale: inner },
  layout: { nodes: { load: { at: [0, 0], title: "The model" } } },
};
const title = (flat: string) => flatTitle(flat, workflow, makeLibrary({}, {}));

describe("the title of a node of a run", () => {
  it("is that of the document, with the groups that it lies in", () => {
    expect(title("load")).toBe("The model");
    expect(title("big/sample")).toBe("Upscale › Walk");
  });

  it("is its id where the document has none", () => {
    expect(title("gone")).toBe("gone");
    expect(title("gone/deeper")).toBe("gone › deeper");
    expect(title("big/gone")).toBe("Upscale › gone");
  });
});

it("the summary of a node is its first paragraph in one line", () => {
  expect(summaryOf("One sentence goes\non here.\n\nAnother.")).toBe("One sentence goes on here.");
  expect(summaryOf("")).toBe("");
});
