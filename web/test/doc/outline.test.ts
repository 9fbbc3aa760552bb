import { expect, it } from "vitest";
import { makeLibrary } from "../../src/doc/library";
import { outline } from "../../src/doc/outline";
import { EMPTY_WORKFLOW, type Graph, type Workflow } from "../../src/doc/types";
import { out, spec } from "./toys";

const LIBRARY = makeLibrary({ "toys.one": spec("toys.one", [], [out("a", "int")]) }, {});
const group = (nodes: Graph["nodes"]): Graph => ({ nodes, inputs: {}, outputs: {}, layout: {} });

const WORKFLOW: Workflow = {
  ...EMPTY_WORKFLOW,
  nodes: { call: { type: "group:G" }, z: { type: "toys.one" }, gone: { type: "group:Nowhere" } },
  groups: { G: group({ again: { type: "group:G" }, one: { type: "toys.one" } }) },
};

const flats = (...open: string[]) =>
  outline(WORKFLOW, LIBRARY, new Set(open)).map(({ flat }) => flat);

it("lists the nodes of a group below its call, if that is unfolded", () => {
  expect(flats()).toEqual(["call", "gone", "z"]);
  expect(flats("call")).toEqual(["call", "call/again", "call/one", "gone", "z"]);
  expect(outline(WORKFLOW, LIBRARY, new Set(["call"])).map(({ open }) => open)).toEqual([
    true,
    false,
    null,
    null,
    null,
  ]);
});

it("ends in a group that holds itself", () => {
  const all = Array.from({ length: 60 }, (_, depth) => `call${"/again".repeat(depth)}`);
  expect(flats(...all).length).toBeLessThan(100);
});
