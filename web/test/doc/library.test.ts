import { describe, expect, test } from "vitest";
import type { Face } from "../../src/doc/library";
import { faceOf, humanize, inputOf, ordered, outputOf, specOf } from "../../src/doc/library";
import type { Graph, Workflow } from "../../src/doc/types";
import { flow, LIBRARY, node } from "./toys";

const faceIn = (workflow: Workflow, id: string, graph: Graph = workflow): Face => {
  const entry = graph.nodes[id];
  if (!entry) throw new Error(`${id} is gone`);
  return faceOf(id, entry, graph, workflow, LIBRARY);
};

const call = { type: "group:pair", inputs: {} };
const pair: Graph = {
  nodes: {
    sum: node("add", { a: 4 }),
    all: node("join", { parts: [{ node: "sum" }] }),
    bits: node("join"),
  },
  inputs: {
    number: { node: "sum", input: "a" },
    parts: [{ node: "all", input: "parts" }],
    both: [
      { node: "all", input: "parts" },
      { node: "sum", input: "b" },
    ],
  },
  outputs: { sum: { node: "sum" }, all: { node: "all", output: "all" } },
  layout: { inputs: ["parts", "gone", "number"] },
};

describe("a declared node", () => {
  test("is found by its id and its earlier ids, and by nothing that objects inherit", () => {
    expect(specOf(LIBRARY, "toy.plus")?.id).toBe("toy.add");
    expect(specOf(LIBRARY, "constructor")).toBeNull();
  });

  test("answers to earlier names of its ports", () => {
    const face = faceIn(flow({ nodes: { sum: node("add") } }), "sum");
    expect(inputOf(face, "left")?.name).toBe("a");
    expect(outputOf(face, "total")?.name).toBe("sum");
    expect(outputOf(face, undefined)?.name).toBe("sum");
  });
});

describe("a call", () => {
  const workflow = flow({ nodes: { call }, groups: { pair } });
  const face = faceIn(workflow, "call");

  test("shows what the group exposes, in the order of its layout", () => {
    expect(face.inputs.map((port) => port.name)).toEqual(["parts", "number", "both"]);
    expect(face.outputs).toMatchObject([
      { name: "sum", type: "float" },
      { name: "all", type: "float" },
    ]);
  });

  test("has the inner value as its default, and needs nothing that is given inside", () => {
    expect(inputOf(face, "number")).toMatchObject({ default: 4, required: false });
    expect(inputOf(face, "parts")).toMatchObject({ optional: true });
  });

  test("has an input that grows only if all places that it feeds do", () => {
    expect(inputOf(face, "parts")?.grows).toBe(true);
    expect(inputOf(face, "both")?.grows).toBe(false);
  });

  test("keeps its face as long as no group changes", () => {
    expect(faceIn({ ...workflow, nodes: {} }, "call", workflow)).toBe(face);
  });

  test("of a group that contains itself still has a face", () => {
    const ring: Graph = {
      nodes: { again: { type: "group:ring" } },
      inputs: { x: { node: "again", input: "x" } },
      outputs: { y: { node: "again", output: "y" } },
      layout: {},
    };
    const around = flow({ nodes: { call: { type: "group:ring" } }, groups: { ring } });
    expect(faceIn(around, "call").inputs.map((port) => port.name)).toEqual(["x"]);
  });
});

describe("a node of a type that nobody knows", () => {
  const workflow = flow({
    nodes: {
      odd: { type: "gone.node", inputs: { a: 1, b: [{ node: "one" }] } },
      one: node("number", { value: { node: "odd", output: "x" } }),
    },
    inputs: { shown: { node: "odd", input: "c" } },
    outputs: { y: { node: "odd", output: "y" } },
  });

  test("has the ports that are in use", () => {
    const face = faceIn(workflow, "odd");
    expect(face.unknown).toBe(true);
    expect(face.inputs.map((port) => [port.name, port.grows])).toEqual([
      ["a", false],
      ["b", true],
      ["c", false],
    ]);
    expect(face.outputs.map((port) => port.name)).toEqual(["x", "y"]);
  });

  test("keeps its face while other nodes change", () => {
    const nodes = { ...workflow.nodes, more: node("number") };
    expect(faceIn({ ...workflow, nodes }, "odd")).toBe(faceIn(workflow, "odd"));
  });

  test("may be called like what every object inherits", () => {
    expect(faceIn(flow({ nodes: { odd: { type: "group:constructor" } } }), "odd").unknown).toBe(
      true,
    );
    expect(faceIn(flow({ nodes: { odd: { type: "toString" } } }), "odd").unknown).toBe(true);
  });
});

test("names are ordered as a layout says, and what it leaves out follows", () => {
  expect(ordered({ a: 1, b: 1, c: 1 }, ["c", "x", "c", "a"])).toEqual(["c", "a", "b"]);
});

test("names of code are read as words", () => {
  expect(humanize("encode_text")).toBe("Encode text");
});
