import { describe, expect, test } from "vitest";
import { bypassSaid, bypassShown } from "../../src/doc/bypass";
import type { Graph } from "../../src/doc/types";
import { flow, LIBRARY, node } from "./toys";

const workflow = flow({
  nodes: {
    one: node("number"),
    sum: node("add", { a: { node: "one" }, b: 2 }),
    join: node("join", { parts: [{ node: "one" }, { node: "sum" }] }),
  },
});

describe("a bypassed node lets through", () => {
  test("its first linked or given input of the output's type", () => {
    expect(bypassShown("sum", workflow, workflow, LIBRARY)).toEqual([
      { output: "sum", input: "a" },
    ]);
    expect(bypassShown("join", workflow, workflow, LIBRARY)).toEqual([
      { output: "all", input: "parts" },
    ]);
  });

  test("nothing, if no input fits", () => {
    const sample = flow({ nodes: { s: node("sample", { seed: 3 }) } });
    expect(bypassShown("s", sample, sample, LIBRARY)).toEqual([{ output: "image", input: null }]);
  });

  test("a literal, which no wire shows", () => {
    const one = flow({ nodes: { s: node("add", { b: 3 }) } });
    expect(bypassShown("s", one, one, LIBRARY)).toEqual([{ output: "sum", input: "b" }]);
  });

  test("as a call what leads back through its group to an input that is given", () => {
    const group: Graph = {
      nodes: { first: node("add", { b: 1 }), second: node("split", { value: { node: "first" } }) },
      inputs: { x: { node: "first", input: "a" }, y: { node: "first", input: "b" } },
      outputs: { z: { node: "second", output: "rest" } },
      layout: {},
    };
    const given = (inputs: Record<string, { node: string }>) => {
      const nodes = { one: node("number"), call: { type: "group:g", inputs } };
      const around = flow({ nodes, groups: { g: group } });
      return bypassShown("call", around, around, LIBRARY)[0];
    };
    expect(given({ x: { node: "one" } })).toMatchObject({ input: "x" });
    expect(given({ y: { node: "one" } })).toMatchObject({ input: "y" });
    expect(given({})).toMatchObject({ input: null });
  });

  test("what is said in words", () => {
    expect(bypassSaid("sum", workflow, workflow, LIBRARY)).toEqual(["sum: what comes into a."]);
    const sample = flow({ nodes: { s: node("sample", { seed: 3 }) } });
    expect(bypassSaid("s", sample, sample, LIBRARY)).toEqual([
      "image: no input fits, so what takes it fails.",
    ]);
  });
});
