import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { removeReroutes } from "../../src/doc/edits";
import { wiresOf } from "../../src/doc/inputs";
import { addReroute, extendFrom, segmentsOf } from "../../src/doc/reroutes";
import { faults, flow, graphs, node } from "./toys";

const fork = flow({
  nodes: {
    one: node("number"),
    up: node("add", { a: { node: "one" } }),
    down: node("add", { a: { node: "one" } }),
  },
  layout: {
    reroutes: { fork: { at: [1, 2] } },
    wires: { "up/a": ["fork"], "down/a": ["fork"] },
  },
});
const trunk = segmentsOf(fork)[0]?.id ?? "";

describe("the lines of a graph", () => {
  test("are its wires where nothing bends them", () => {
    const straight = flow({ nodes: fork.nodes });
    expect(segmentsOf(straight).map((segment) => segment.id)).toEqual(["up/a", "down/a"]);
  });

  test("that wires share are drawn once", () => {
    expect(segmentsOf(fork).map(({ from, to, wires }) => [from, to, wires])).toEqual([
      [{ node: "one" }, { reroute: "fork" }, ["up/a", "down/a"]],
      [{ reroute: "fork" }, { node: "up", input: "a", index: null }, ["up/a"]],
      [{ reroute: "fork" }, { node: "down", input: "a", index: null }, ["down/a"]],
    ]);
  });

  test("stay the same objects while nodes move", () => {
    const moved = { ...fork, layout: { ...fork.layout, nodes: { one: { at: [9, 9] as const } } } };
    expect(segmentsOf(moved)).toBe(segmentsOf(fork));
  });

  test("pass no reroute that is gone", () => {
    const stray = { ...fork, layout: { ...fork.layout, reroutes: {} } };
    expect(segmentsOf(stray)).toHaveLength(2);
  });

  test("name every wire's end once, and every line differently", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const segments = segmentsOf(graph);
        const ends = segments.filter((segment) => "node" in segment.to);
        expect(ends.map((segment) => segment.id)).toEqual(wiresOf(graph).map((wire) => wire.key));
        expect(new Set(segments.map((segment) => segment.id)).size).toBe(segments.length);
      }),
    );
  });
});

describe("a reroute", () => {
  test("on a shared line bends all its wires", () => {
    const next = addReroute(fork, trunk, [5, 5]);
    expect(next.layout.wires).toEqual({
      "up/a": ["reroute", "fork"],
      "down/a": ["reroute", "fork"],
    });
  });

  test("behind a fork bends the one wire", () => {
    const next = addReroute(fork, "up/a", [5, 5]);
    expect(next.layout.wires).toEqual({ "up/a": ["fork", "reroute"], "down/a": ["fork"] });
    expect(faults(next)).toEqual([]);
  });

  test("that is removed leaves the wires whole", () => {
    const next = removeReroutes(addReroute(fork, trunk, [5, 5]), ["fork"]);
    expect(next.layout.wires).toEqual({ "up/a": ["reroute"], "down/a": ["reroute"] });
    expect(removeReroutes(next, ["reroute"]).layout).toEqual({ wires: {}, reroutes: {} });
  });

  test("on a line that is not there changes nothing", () => {
    expect(addReroute(fork, "nobody/a", [0, 0])).toBe(fork);
  });

  test("gives a new wire its source and its way", () => {
    const next = addReroute(fork, "up/a", [5, 5]);
    expect(extendFrom(next, "reroute")).toEqual({
      from: { node: "one" },
      via: ["fork", "reroute"],
    });
    expect(extendFrom(next, "stray")).toBeNull();
  });
});
