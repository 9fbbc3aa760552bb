import { expect, test } from "vitest";
import { makeFlow } from "../../src/canvas/flow";
import { place } from "../../src/doc/edits";
import type { Graph } from "../../src/doc/types";
import { flow, LIBRARY, node } from "../doc/toys";

const GRAPH = flow({
  nodes: { start: node("number", {}), sum: node("add", { a: { node: "start" } }) },
});
const edgesOf = (maker: ReturnType<typeof makeFlow>, graph: Graph) =>
  maker.edges(graph, GRAPH, LIBRARY);

test("a node that is moved is another one to xyflow, the others and the wires are the same", () => {
  const maker = makeFlow();
  const before = maker.nodes(GRAPH, GRAPH, LIBRARY, false);
  const wires = edgesOf(maker, GRAPH);
  expect(wires).toHaveLength(1);
  const moved = place(GRAPH, new Map([["n:sum", [300, 40]]]));
  const after = maker.nodes(moved, GRAPH, LIBRARY, false);
  expect(after[1]?.position).toEqual({ x: 300, y: 40 });
  expect(after[0]).toBe(before[0]);
  expect(edgesOf(maker, moved)).toBe(wires);
});

test("a wire more is told at once", () => {
  const maker = makeFlow();
  edgesOf(maker, GRAPH);
  const sum = node("add", { a: { node: "start" }, b: { node: "start" } });
  const linked = { ...GRAPH, nodes: { ...GRAPH.nodes, sum } };
  expect(edgesOf(maker, linked).map((edge) => edge.id)).toEqual(["sum/a", "sum/b"]);
});
