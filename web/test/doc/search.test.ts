import { describe, expect, test } from "vitest";
import { findInGraph, match, scopes, searchAmong, searchNodes } from "../../src/doc/search";
import { flow, LIBRARY, node } from "./toys";

const ids = (query: string) => searchNodes(LIBRARY, query).map((spec) => spec.id);

describe("node types", () => {
  test("are found by the beginning of their title", () => {
    expect(ids("samp")[0]).toBe("toy.sample");
    expect(ids("add")[0]).toBe("toy.add");
  });

  test("are found by a word, an id, an earlier id and their category", () => {
    expect(ids("numbers")[0]).toBe("toy.add");
    expect(ids("toy.join")[0]).toBe("toy.join");
    expect(ids("plus")[0]).toBe("toy.add");
    expect(ids("pictures")).toEqual(["toy.sample"]);
  });

  test("are found by letters in their order, after those that hold the text", () => {
    expect(ids("smpl")).toEqual(["toy.sample"]);
    expect(ids("anum")[0]).toBe("toy.add");
    expect(ids("number")[0]).toBe("toy.number");
  });

  test("are found by what they are for, last of all", () => {
    expect(ids("sum of")).toContain("toy.add");
    expect(ids("zzz")).toEqual([]);
  });

  test("are all there for an empty query, and as many as are wanted", () => {
    expect(ids("")).toHaveLength(Object.keys(LIBRARY.nodes).length);
    expect(searchNodes(LIBRARY, "a", { limit: 2 })).toHaveLength(2);
  });
});

test("a better answer has more points", () => {
  const points = ["sample", "sampler", "k sampler", "resample", "s a m p l e"].map((text) =>
    match("sample", text),
  );
  expect(points).toEqual([...points].sort((a, b) => b - a));
  expect(new Set(points).size).toBe(points.length);
  expect(match("xyz", "sample")).toBe(0);
  expect(match("c++ (", "c++ (old)")).toBeGreaterThan(50);
});

test("words are found where the source breaks a line between them", () => {
  const named = {
    id: "a.b",
    was: [],
    title: "B",
    category: "",
    description: "It adds\n  numbers.",
  };
  expect(searchAmong([named], "adds numbers")).toEqual([named]);
});

test("what has a name is searched whatever it is, in its order without a query", () => {
  const named = (title: string) => ({ id: title, title, category: "", description: "", was: [] });
  const all = [named("zebra"), named("ant")];
  expect(searchAmong(all, "")).toEqual(all);
  expect(searchAmong(all, "an").map((one) => one.title)).toEqual(["ant"]);
});

describe("nodes of the document", () => {
  const inner = {
    nodes: { deep: node("words", { text: "A red fox" }) },
    inputs: {},
    outputs: {},
    layout: {},
  };
  const workflow = flow({
    nodes: { one: node("add", { a: { node: "x" }, b: 4 }), call: { type: "group:g" } },
    groups: { g: { ...inner, nodes: { next: { type: "group:h" } } }, h: inner, unused: inner },
    layout: { nodes: { one: { at: [0, 0], title: "Total" } } },
  });
  const find = (query: string) => findInGraph(workflow, LIBRARY, query);

  test("are found by title, id, type and value", () => {
    expect(find("tot")).toMatchObject([{ node: "one", by: "title", title: "Total" }]);
    expect(find("one")).toMatchObject([{ node: "one", by: "id" }]);
    expect(find("toy.add")).toMatchObject([{ node: "one", by: "type" }]);
    expect(find("4")).toMatchObject([{ node: "one", by: { input: "b" } }]);
    expect(find(" ")).toEqual([]);
  });

  test("are found in groups, with the way to them", () => {
    expect(find("RED FOX")).toMatchObject([
      { node: "deep", group: "h", scope: ["call", "next"], by: { input: "text" } },
    ]);
  });

  test("of groups that nothing calls are not looked for", () => {
    expect(scopes(workflow).map(({ group }) => group)).toEqual([null, "g", "h"]);
  });
});
