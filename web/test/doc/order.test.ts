import fc from "fast-check";
import { expect, test } from "vitest";
import { wiresOf } from "../../src/doc/inputs";
import { depths, downstream, flowOrder, neighbours, upstream } from "../../src/doc/order";
import { flow, graphs, node } from "./toys";

const diamond = flow({
  nodes: {
    end: node("add", { a: { node: "up" }, b: { node: "down" } }),
    down: node("split", { value: { node: "one" } }),
    up: node("split", { value: { node: "one" } }),
    one: node("number", { value: { node: "gone" } }),
  },
  layout: { nodes: { up: { at: [0, 0] }, down: { at: [0, 100] } } },
});

test("the flow goes from the sources on, and from top to bottom", () => {
  expect(flowOrder(diamond)).toEqual(["one", "up", "down", "end"]);
});

test("the flow never runs against a wire", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const order = flowOrder(graph);
      expect([...order].sort()).toEqual(Object.keys(graph.nodes).sort());
      for (const { from, to } of wiresOf(graph)) {
        expect(order.indexOf(from.node)).toBeLessThan(order.indexOf(to.node));
      }
    }),
  );
});

test("nodes of a loop have an order too", () => {
  const ring = flow({
    nodes: {
      a: node("split", { value: { node: "c" } }),
      b: node("split", { value: { node: "a" } }),
      c: node("split", { value: { node: "b" } }),
      d: node("split", { value: { node: "d" } }),
    },
  });
  expect(flowOrder(ring).sort()).toEqual(["a", "b", "c", "d"]);
  expect(depths(ring).get("c")).toBe(2);
});

test("what a node needs, and what needs it", () => {
  expect([...upstream(diamond, ["up"])].sort()).toEqual(["one", "up"]);
  expect([...downstream(diamond, ["up"])].sort()).toEqual(["end", "up"]);
  expect([...upstream(diamond, ["gone"])]).toEqual([]);
  expect(neighbours(diamond, "one")).toEqual({ before: [], after: ["down", "up"] });
  expect(neighbours(diamond, "end")).toEqual({ before: ["up", "down"], after: [] });
});
