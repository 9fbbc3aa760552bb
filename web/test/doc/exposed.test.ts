import { describe, expect, test } from "vitest";
import {
  expose,
  exposedNames,
  exposedOutputs,
  exposeOutput,
  pruneCalls,
  renameExposed,
  reorderExposed,
  unexpose,
} from "../../src/doc/exposed";
import type { Graph, Workflow } from "../../src/doc/types";
import { faults, flow, node } from "./toys";

const group: Graph = {
  nodes: { n: node("add"), m: node("add") },
  inputs: { x: { node: "n", input: "a" }, z: { node: "n", input: "b" } },
  outputs: { y: { node: "n" }, w: { node: "m" } },
  layout: { inputs: ["z", "x"] },
};
const call = { type: "group:g", inputs: { x: { node: "one" }, z: 3 } };
const caller: Graph = {
  nodes: {
    one: node("number"),
    call: { ...call, repeat: { times: 2, until: "y", feed: { y: "x", w: "z" } } },
    taker: node("add", { a: { node: "call", output: "y" }, b: { node: "call", output: "w" } }),
    all: node("join", { parts: [{ node: "call", output: "y" }, { node: "one" }] }),
  },
  inputs: {
    outer: [
      { node: "call", input: "x" },
      { node: "one", input: "value" },
    ],
  },
  outputs: { shown: { node: "call", output: "y" } },
  layout: {
    nodes: {
      call: { at: [0, 0], kept: { x: 1 }, heights: { x: 90 }, seeds: { z: "random" } },
      taker: { at: [0, 0], kept: { a: 9 } },
    },
    reroutes: { r: { at: [0, 0] }, s: { at: [0, 0] }, t: { at: [0, 0] } },
    wires: { "call/x": ["r"], "taker/a": ["s"], "all/parts/1": ["t"] },
  },
};
const workflow: Workflow = flow({ ...caller, groups: { g: group, h: caller } });

describe("an input that is exposed", () => {
  test("has a name of its own, and comes last", () => {
    const next = expose(group, "m", "a");
    expect(next.inputs.a).toEqual({ node: "m", input: "a" });
    expect(next.layout.inputs).toEqual(["z", "x", "a"]);
    expect(exposedNames(next, "m", "a")).toEqual(["a"]);
    expect(expose(next, "m", "a")).toBe(next);
  });

  test("under a name that is there feeds one place more", () => {
    const next = expose(group, "m", "a", "x");
    expect(next.inputs.x).toEqual([
      { node: "n", input: "a" },
      { node: "m", input: "a" },
    ]);
    expect(expose(next, "m", "a", "x")).toBe(next);
  });

  test("is put into another order", () => {
    expect(reorderExposed(group, "inputs", ["x"]).layout.inputs).toEqual(["x", "z"]);
  });
});

test("an output that is exposed is named after itself, or after its node", () => {
  expect(exposeOutput(group, "m", "sum").outputs.sum).toEqual({ node: "m", output: "sum" });
  expect(exposeOutput(caller, "one", undefined).outputs.one).toEqual({ node: "one" });
  expect(exposeOutput(group, "n", undefined)).toBe(group);
  expect(exposedOutputs(group, "n", undefined)).toEqual(["y"]);
});

describe("another name of a group's input", () => {
  const next = renameExposed(workflow, ["call"], "inputs", "x", "number/1");

  test("is known to the group and its order", () => {
    expect(Object.keys(next.groups.g?.inputs ?? {}).sort()).toEqual(["number/1", "z"]);
    expect(next.groups.g?.layout.inputs).toEqual(["z", "number/1"]);
  });

  test("is known to every call, with its wires, its layout and its repeat", () => {
    for (const graph of [next, next.groups.h]) {
      expect(graph?.nodes.call?.inputs).toEqual({ "number/1": { node: "one" }, z: 3 });
      expect(graph?.nodes.call?.repeat?.feed).toEqual({ y: "number/1", w: "z" });
      expect(graph?.layout.nodes?.call).toMatchObject({
        kept: { "number/1": 1 },
        heights: { "number/1": 90 },
        seeds: { z: "random" },
      });
      expect(graph?.layout.wires).toMatchObject({ "call/number%2F1": ["r"] });
      expect(graph?.inputs.outer).toContainEqual({ node: "call", input: "number/1" });
    }
  });

  test("is refused if it is taken, empty, or of nothing", () => {
    expect(renameExposed(workflow, ["call"], "inputs", "x", "z")).toBe(workflow);
    expect(renameExposed(workflow, ["call"], "inputs", "x", "")).toBe(workflow);
    expect(renameExposed(workflow, ["call"], "inputs", "gone", "x")).toBe(workflow);
  });
});

test("another name of a group's output is known to all that take it", () => {
  const next = renameExposed(workflow, ["call"], "outputs", "y", "sum");
  expect(next.nodes.taker?.inputs?.a).toEqual({ node: "call", output: "sum" });
  expect(next.nodes.all?.inputs?.parts).toEqual([{ node: "call", output: "sum" }, { node: "one" }]);
  expect(next.outputs.shown).toEqual({ node: "call", output: "sum" });
  expect(next.nodes.call?.repeat).toEqual({ times: 2, until: "sum", feed: { sum: "x", w: "z" } });
  expect(next.groups.h?.outputs.shown?.output).toBe("sum");
  expect(faults(next)).toEqual([]);
});

describe("what is no longer exposed", () => {
  test("as an input is gone from every call", () => {
    const next = unexpose(workflow, ["call"], "inputs", "x");
    expect(next.groups.g?.inputs).toEqual({ z: { node: "n", input: "b" } });
    expect(next.nodes.call?.inputs).toEqual({ z: 3 });
    expect(next.nodes.call?.repeat?.feed).toEqual({ w: "z" });
    expect(next.inputs.outer).toEqual([{ node: "one", input: "value" }]);
    expect(Object.keys(next.layout.reroutes ?? {})).toEqual(["s", "t"]);
    expect(faults(next)).toEqual([]);
  });

  test("as an output gives those that took it their literals back", () => {
    const next = unexpose(workflow, ["call"], "outputs", "y");
    expect(next.nodes.taker?.inputs).toEqual({ a: 9, b: { node: "call", output: "w" } });
    expect(next.nodes.all?.inputs?.parts).toEqual([{ node: "one" }]);
    expect(next.layout.wires).toMatchObject({ "all/parts/0": ["t"] });
    expect(next.nodes.call?.repeat).toEqual({ times: 2, feed: { w: "z" } });
    expect(next.outputs).toEqual({});
    expect(faults(next)).toEqual([]);
  });

  test("of the workflow itself concerns nobody else", () => {
    const next = unexpose(workflow, [], "inputs", "outer");
    expect(next.inputs).toEqual({});
    expect(next.nodes).toBe(workflow.nodes);
  });

  test("because its node is gone is taken out of calls as well", () => {
    const cut: Graph = { ...group, inputs: { z: { node: "n", input: "b" } }, outputs: {} };
    const next = pruneCalls({ ...workflow, groups: { ...workflow.groups, g: cut } }, "g");
    expect(next.nodes.call?.inputs).toEqual({ z: 3 });
    expect(next.nodes.taker?.inputs).toEqual({ a: 9 });
    expect(next.groups.h?.nodes.call?.inputs).toEqual({ z: 3 });
  });

  test("because its node is gone takes links that name no output with it", () => {
    const only = flow({
      nodes: { call: { type: "group:g" }, taker: node("add", { a: { node: "call" }, b: 1 }) },
      outputs: { shown: { node: "call" } },
      groups: { g: { ...group, outputs: { sum: { node: "n" } } } },
    });
    expect(pruneCalls(only, "g").nodes.taker?.inputs).toEqual({ a: { node: "call" }, b: 1 });
    const cut = { ...only, groups: { g: { ...group, outputs: {} } } };
    const next = pruneCalls(cut, "g");
    expect(next.nodes.taker?.inputs).toEqual({ b: 1 });
    expect(next.outputs).toEqual({});
  });
});
