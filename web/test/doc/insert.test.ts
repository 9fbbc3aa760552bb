import { describe, expect, test } from "vitest";
import { fittingInputs, fittingNodes, insertOnWire } from "../../src/doc/insert";
import { faceOf } from "../../src/doc/library";
import { faults, flow, LIBRARY, node } from "./toys";

const workflow = flow({
  nodes: {
    one: node("number"),
    sum: node("add", { a: { node: "one" }, b: 2 }),
    split: node("split"),
    full: node("add", { a: { node: "one" }, b: { node: "one" } }),
    words: node("words"),
    join: node("join", { parts: [{ node: "one" }, { node: "sum" }] }),
    last: node("split", { value: { node: "sum" } }),
  },
  layout: {
    nodes: { split: { at: [200, 0] } },
    reroutes: { left: { at: [100, 0] }, right: { at: [300, 0] } },
    wires: { "sum/a": ["left", "right"] },
  },
});
const insert = (id: string, key: string) => insertOnWire(workflow, workflow, LIBRARY, id, key);

describe("a node that is put into a wire", () => {
  test("takes the wire by its first input and gives it on by its first output", () => {
    const next = insert("split", "sum/a");
    expect(next?.nodes.split?.inputs).toEqual({ value: { node: "one" } });
    expect(next?.nodes.sum?.inputs).toEqual({ a: { node: "split", output: "whole" }, b: 2 });
    expect(next?.layout.wires).toEqual({ "split/value": ["left"], "sum/a": ["right"] });
    expect(faults(next ?? workflow)).toEqual([]);
  });

  test("keeps its place in a list of links", () => {
    const next = insert("split", "join/parts/0");
    expect(next?.nodes.join?.inputs?.parts).toEqual(
      [
        { node: "split", output: "whole" },
        { node: "sum", output: undefined },
      ].map(({ node: from, output }) => (output ? { node: from, output } : { node: from })),
    );
  });

  test("must fit, be free and close no loop", () => {
    expect(insert("words", "sum/a")).toBeNull();
    expect(insert("full", "sum/a")).toBeNull();
    expect(insert("last", "sum/a")).toBeNull();
    expect(insert("sum", "sum/a")).toBeNull();
    expect(insert("split", "gone/a")).toBeNull();
  });
});

describe("what fits", () => {
  test("an output: the inputs that it may enter", () => {
    const entry = node("add");
    const face = faceOf("x", entry, flow({ nodes: { x: entry } }), workflow, LIBRARY);
    expect(fittingInputs(face, "int").map((port) => port.name)).toEqual(["a", "b"]);
    expect(fittingInputs(face, "Image")).toEqual([]);
  });

  test("a wire: nodes, those of its very type first and those that take anything last", () => {
    const takes = fittingNodes(LIBRARY, { type: "Image", direction: "from" });
    expect(takes.map(({ spec, port }) => [spec.id, port])).toEqual([
      ["toy.blur", "image"],
      ["toy.save", "image"],
      ["toy.same", "value"],
    ]);
    const gives = fittingNodes(LIBRARY, { type: "int", direction: "to" });
    expect(gives.map(({ spec }) => spec.id)).toEqual(["toy.range", "toy.same"]);
  });
});
