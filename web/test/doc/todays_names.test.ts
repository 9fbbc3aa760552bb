import { expect, test } from "vitest";
import { sameGraph } from "../../src/doc/parse";
import { withTodaysNames } from "../../src/doc/todays_names";
import { flat } from "./flat";
import { flow, LIBRARY, node } from "./toys";

const old = flow({
  nodes: {
    one: node("number"),
    sum: node("plus", { left: { node: "one" }, b: 2 }),
    end: node("split", { value: { node: "sum", output: "total" } }),
    all: node("join", { parts: [{ node: "sum", output: "total" }, { node: "one" }] }),
  },
  inputs: { x: { node: "sum", input: "left" }, y: [{ node: "sum", input: "b" }] },
  outputs: { sum: { node: "sum", output: "total" } },
  layout: {
    nodes: { sum: { at: [0, 0], kept: { left: 4 } } },
    reroutes: { r: { at: [0, 0] } },
    wires: { "sum/left": ["r"] },
  },
});

test("nodes, inputs and outputs have today's names everywhere, and compute the same", () => {
  const today = withTodaysNames(old, LIBRARY);
  expect(today.nodes.sum).toEqual(node("add", { a: { node: "one" }, b: 2 }));
  expect(today.nodes.end?.inputs).toEqual({ value: { node: "sum", output: "sum" } });
  expect(today.inputs).toEqual({
    x: { node: "sum", input: "a" },
    y: [{ node: "sum", input: "b" }],
  });
  expect(today.outputs).toEqual({ sum: { node: "sum", output: "sum" } });
  expect(today.layout.nodes?.sum?.kept).toEqual({ a: 4 });
  expect(today.layout.wires).toEqual({ "sum/a": ["r"] });
  expect(flat(today).outputs).toEqual(flat(old).outputs);
  expect(flat(today).nodes.all).toEqual(flat(old).nodes.all);
});

test("a document in today's names says the same afterwards, and unknown types stay", () => {
  const today = withTodaysNames(old, LIBRARY);
  expect(sameGraph(withTodaysNames(today, LIBRARY), today)).toBe(true);
  const unknown = flow({ nodes: { odd: { type: "gone.left", inputs: { left: 1 } } } });
  expect(withTodaysNames(unknown, LIBRARY)).toBe(unknown);
});

test("an earlier name beside today's is left for the check to tell of", () => {
  const both = flow({ nodes: { sum: node("add", { left: 1, a: 2 }) } });
  expect(withTodaysNames(both, LIBRARY).nodes.sum?.inputs).toEqual({ left: 1, a: 2 });
});
