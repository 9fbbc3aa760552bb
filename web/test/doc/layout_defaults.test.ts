import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boxesOf } from "../../src/doc/boxes";
import { wiresOf } from "../../src/doc/inputs";
import { ensureLayout } from "../../src/doc/layout_defaults";
import { parseWorkflow } from "../../src/doc/parse";
import { item, type Workflow } from "../../src/doc/types";
import { overlaps } from "./overlaps";
import { flow, graphs, LIBRARY, node } from "./toys";

const boxes = (workflow: Workflow) =>
  boxesOf(
    Object.keys(workflow.nodes).map((id) => item("n", id)),
    workflow,
    workflow,
    LIBRARY,
  );

describe("a document without places", () => {
  test("goes from left to right, and no node lies over another", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const placed = ensureLayout(flow({ ...graph, layout: {} }), LIBRARY);
        const at = boxes(placed);
        expect(overlaps([...at.values()])).toBe(0);
        for (const { from, to } of wiresOf(placed)) {
          expect(at.get(`n:${from.node}`)?.x).toBeLessThan(at.get(`n:${to.node}`)?.x ?? 0);
        }
      }),
    );
  });

  test("has places in its groups too", () => {
    const group = { nodes: { n: node("number") }, inputs: {}, outputs: {}, layout: {} };
    const placed = ensureLayout(flow({ groups: { g: group } }), LIBRARY);
    expect(placed.groups.g?.layout.nodes?.n?.at).toEqual([0, 0]);
  });
});

test("what has a place keeps it, and new nodes lie below", () => {
  const half = flow({
    nodes: { a: node("number"), b: node("number") },
    layout: { nodes: { a: { at: [50, 60] } } },
  });
  const placed = ensureLayout(half, LIBRARY);
  expect(placed.layout.nodes?.a?.at).toEqual([50, 60]);
  expect(placed.layout.nodes?.b?.at[1]).toBeGreaterThan(100);
  expect(ensureLayout(placed, LIBRARY)).toBe(placed);
});

test("a place that is none is made one, and the rest of the layout stays", () => {
  const read = parseWorkflow({
    nodeflow: 1,
    nodes: { a: { type: "x" }, b: { type: "x" } },
    layout: { nodes: { a: { at: ["x", 1], title: "A" }, b: { title: "B" } } },
  });
  const { nodes } = ensureLayout(read, LIBRARY).layout;
  expect(nodes?.a).toMatchObject({ title: "A", at: [0, expect.any(Number)] });
  expect(nodes?.b?.title).toBe("B");
});

test("two thousand nodes are placed at once", () => {
  const nodes = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [
      `n${index}`,
      node("add", index > 40 ? { a: { node: `n${index - 40}` } } : {}),
    ]),
  );
  const before = performance.now();
  const placed = ensureLayout(flow({ nodes }), LIBRARY);
  expect(performance.now() - before).toBeLessThan(300);
  expect(Object.keys(placed.layout.nodes ?? {})).toHaveLength(2000);
});
