import { expect, test } from "vitest";
import { flatId, graphAt, groupAt, groupOf, withGraph } from "../../src/doc/scope";
import { type Graph, idsOf, item, kindOf, own } from "../../src/doc/types";
import { flow, node } from "./toys";

const inner: Graph = { nodes: { n: node("number") }, inputs: {}, outputs: {}, layout: {} };
const outer: Graph = { ...inner, nodes: { second: { type: "group:inner" } } };
const workflow = flow({ nodes: { first: { type: "group:outer" } }, groups: { inner, outer } });

test("a scope leads through calls to the graph of a group", () => {
  expect(groupAt(workflow, [])).toBeNull();
  expect(groupAt(workflow, ["first", "second"])).toBe("inner");
  expect(graphAt(workflow, ["first", "second"])).toBe(inner);
  expect(flatId(["first", "second"], "n")).toBe("first/second/n");
});

test("a scope that leads nowhere shows the workflow itself", () => {
  expect(groupAt(workflow, ["gone"])).toBeUndefined();
  expect(groupAt(workflow, ["constructor"])).toBeUndefined();
  expect(graphAt(workflow, ["first", "gone"])).toBe(workflow);
});

test("an edit in a scope changes its group, and nothing else", () => {
  const next = withGraph(workflow, ["first"], inner);
  expect(next.groups).toEqual({ inner, outer: inner });
  expect(next.nodes).toBe(workflow.nodes);
  expect(withGraph(workflow, [], inner).nodes).toBe(inner.nodes);
});

test("types of calls name their group", () => {
  expect(groupOf("group:a b")).toBe("a b");
  expect(groupOf("toy.add")).toBeNull();
});

test("things that can be selected are told apart by their kind", () => {
  const all = [item("n", "a"), item("w", "a/b"), item("n", "c:d")];
  expect(idsOf(all, "n")).toEqual(["a", "c:d"]);
  expect(all.map(kindOf)).toEqual(["n", "w", "n"]);
});

test("a record holds only what is its own", () => {
  expect(own({}, "toString")).toBeUndefined();
  expect(own(undefined, "a")).toBeUndefined();
  expect(own({ a: 1 }, "a")).toBe(1);
});
