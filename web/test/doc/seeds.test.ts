import { describe, expect, test } from "vitest";
import { MOST, nextSeeds, seedInputs } from "../../src/doc/seeds";
import type { Graph, SeedMode, Workflow } from "../../src/doc/types";
import { flow, LIBRARY, node } from "./toys";

const sampler = (seed: number, mode: SeedMode): Workflow =>
  flow({
    nodes: { s: node("sample", { seed }) },
    layout: { nodes: { s: { at: [0, 0], seeds: { seed: mode } } } },
  });
const seedOf = (graph: Graph | undefined, id = "s") => graph?.nodes[id]?.inputs?.seed;
const next = (workflow: Workflow, random = () => 0.5) => nextSeeds(workflow, LIBRARY, random);

describe("before a run a seed", () => {
  test("stays if it is fixed, and the document with it", () => {
    const fixed = sampler(7, "fixed");
    expect(next(fixed)).toBe(fixed);
  });

  test("counts on, and begins anew after the largest", () => {
    expect(seedOf(next(sampler(7, "increment")))).toBe(8);
    expect(seedOf(next(sampler(MOST, "increment")))).toBe(0);
  });

  test("is drawn between its limits", () => {
    expect(seedOf(next(sampler(7, "random"), () => 0))).toBe(0);
    expect(seedOf(next(sampler(7, "random"), () => 1 - 2 ** -53))).toBeLessThanOrEqual(MOST);
    expect(Number.isSafeInteger(seedOf(next(sampler(7, "random"))))).toBe(true);
  });

  test("that was never set counts on from its default", () => {
    const { nodes: _, ...rest } = sampler(0, "increment");
    expect(seedOf(next({ ...rest, nodes: { s: node("sample") } }))).toBe(1);
  });

  test("that a wire gives stays", () => {
    const linked = {
      ...sampler(0, "random"),
      nodes: { s: node("sample", { seed: { node: "x" } }) },
    };
    expect(seedInputs(linked, LIBRARY)).toEqual([]);
    expect(next(linked)).toBe(linked);
  });
});

describe("in a group", () => {
  const { nodes, layout } = sampler(3, "increment");
  const group: Graph = {
    nodes,
    inputs: { seed: { node: "s", input: "seed" } },
    outputs: { image: { node: "s" } },
    layout,
  };
  const calls = (inputs: Record<string, number>, more: Workflow["nodes"] = {}): Workflow =>
    flow({
      nodes: { call: { type: "group:g", inputs }, ...more },
      groups: { g: group, unused: group },
    });

  test("a seed counts on, once for all calls", () => {
    const after = next(calls({}, { other: { type: "group:g" } }));
    expect(seedOf(after.groups.g)).toBe(4);
    expect(after.groups.unused).toBe(group);
  });

  test("a seed that every call gives stays", () => {
    expect(seedOf(next(calls({ seed: 9 })).groups.g)).toBe(3);
    expect(seedOf(next(calls({ seed: 9 }, { other: { type: "group:g" } })).groups.g)).toBe(4);
  });

  test("a seed may change at the call", () => {
    const at = {
      ...calls({ seed: 9 }),
      layout: { nodes: { call: { at: [0, 0], seeds: { seed: "increment" } } } },
    } as const;
    expect(seedOf(next(at), "call")).toBe(10);
  });
});
