import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { align, autolayout, distribute, snap } from "../../src/doc/arrange";
import { boxesOf, boxOf, within } from "../../src/doc/boxes";
import { placeOf, setPinned } from "../../src/doc/frames";
import { type Graph, item, type Workflow } from "../../src/doc/types";
import { overlaps } from "./overlaps";
import { faults, flow, graphs, LIBRARY, node } from "./toys";

const three = flow({
  nodes: { a: node("number"), b: node("add"), c: node("number") },
  layout: {
    nodes: { a: { at: [0, 0] }, b: { at: [130, 90] }, c: { at: [1000, 500], width: 400 } },
  },
});
const items = ["n:a", "n:b", "n:c"] as const;
const xs = (graph: Graph) => items.map((key) => placeOf(graph, key)?.[0]);
const boxes = (graph: Graph, workflow: Workflow) =>
  boxesOf(
    Object.keys(graph.nodes).map((id) => item("n", id)),
    graph,
    workflow,
    LIBRARY,
  );

describe("things in line", () => {
  test("have the same left edge, right edge or centre", () => {
    expect(xs(align(three, three, LIBRARY, items, "left"))).toEqual([0, 0, 0]);
    expect(xs(align(three, three, LIBRARY, items, "right"))).toEqual([1140, 1140, 1000]);
    expect(xs(align(three, three, LIBRARY, items, "centre"))).toEqual([570, 570, 500]);
  });

  test("have the same top, bottom or middle", () => {
    for (const [edge, part] of [
      ["top", 0],
      ["bottom", 1],
      ["middle", 0.5],
    ] as const) {
      const next = align(three, three, LIBRARY, items, edge);
      const lines = [...boxes(next, three).values()].map((box) => box.y + part * box.height);
      expect(Math.max(...lines) - Math.min(...lines)).toBeLessThanOrEqual(1);
    }
  });

  test("stay where they are if they are pinned, or alone", () => {
    const pinned = setPinned(three, ["n:b"], true);
    expect(xs(align(pinned, three, LIBRARY, items, "left"))).toEqual([0, 130, 0]);
    expect(align(three, three, LIBRARY, ["n:a"], "left")).toBe(three);
  });

  test("have equal gaps", () => {
    const next = distribute(three, three, LIBRARY, items, "across");
    expect(xs(next)).toEqual([0, 500, 1000]);
    expect(distribute(three, three, LIBRARY, ["n:a", "n:b"], "down")).toBe(three);
  });

  test("lie on the grid", () => {
    expect(snap([11, -9])).toEqual([20, -0]);
    expect(snap([11, 9], 5)).toEqual([10, 10]);
  });
});

describe("a layout", () => {
  test("lets no node lie over another, and keeps reroutes whole", async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const workflow = flow(graph);
        const next = await autolayout(graph, workflow, LIBRARY);
        expect(overlaps([...boxes(next, workflow).values()])).toBe(0);
        expect(faults(next)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test("goes from left to right and begins where the nodes began", async () => {
    const chain = flow({
      nodes: { b: node("split", { value: { node: "a" } }), a: node("number") },
      layout: { nodes: { a: { at: [900, 40] }, b: { at: [100, 60] } } },
    });
    const next = await autolayout(chain, chain, LIBRARY);
    const at = [placeOf(next, "n:a"), placeOf(next, "n:b")];
    expect(at[0]?.[0]).toBe(100);
    expect(Math.min(...at.map((point) => point?.[1] ?? 0))).toBe(40);
    expect(placeOf(next, "n:b")?.[0]).toBeGreaterThan(360);
  });

  test("leaves pinned nodes and those that were not asked for", async () => {
    const next = await autolayout(setPinned(three, ["n:b"], true), three, LIBRARY, ["a", "b"]);
    expect(placeOf(next, "n:b")).toEqual([130, 90]);
    expect(placeOf(next, "n:c")).toEqual([1000, 500]);
    expect(await autolayout(three, three, LIBRARY, [])).toBe(three);
  });

  test("moves a frame with all that it holds", async () => {
    const framed = flow({
      nodes: {
        a: node("number"),
        b: node("split", { value: { node: "a" } }),
        c: node("split", { value: { node: "b" } }),
      },
      layout: {
        nodes: { a: { at: [0, 0] }, b: { at: [40, 800] }, c: { at: [20, 20] } },
        frames: { f: { at: [0, 700], size: [400, 300], title: "" } },
        notes: { n: { at: [50, 900], size: [50, 50], text: "" } },
      },
    });
    const next = await autolayout(framed, framed, LIBRARY);
    const frame = boxOf("f:f", next, framed, LIBRARY);
    const inner = boxOf("n:b", next, framed, LIBRARY);
    expect(frame && inner && within(inner, frame)).toBe(true);
    const apart = [frame, boxOf("n:a", next, framed, LIBRARY), boxOf("n:c", next, framed, LIBRARY)];
    expect(overlaps(apart.filter((box) => box !== null))).toBe(0);
    const [, y = 0] = placeOf(next, "t:n") ?? [];
    expect(y - (frame?.y ?? 0)).toBe(200);
  });

  test("of a thousand nodes takes seconds, not minutes", async () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [
        `n${index}`,
        node(
          "add",
          index > 30 ? { a: { node: `n${index - 30}` }, b: { node: `n${index - 7}` } } : {},
        ),
      ]),
    );
    const big = flow({ nodes });
    const next = await autolayout(big, big, LIBRARY);
    expect(overlaps([...boxes(next, big).values()])).toBe(0);
  }, 30_000);
});
