import { describe, expect, test } from "vitest";
import { boxesOf, boxOf, itemsOf, within } from "../../src/doc/boxes";
import {
  colourFrame,
  frameAround,
  inside,
  isPinned,
  moveFrame,
  placeOf,
  renameFrame,
  setFrameMode,
  setPinned,
} from "../../src/doc/frames";
import { addNote, editNote } from "../../src/doc/notes";
import { flow, LIBRARY, node } from "./toys";

const workflow = flow({
  nodes: { one: node("number"), sum: node("add", { a: { node: "one" } }), far: node("number") },
  layout: {
    nodes: { one: { at: [0, 0] }, sum: { at: [300, 0], pinned: true }, far: { at: [5000, 0] } },
    reroutes: { bend: { at: [270, 40] } },
    wires: { "sum/a": ["bend"] },
  },
});
const framed = frameAround(workflow, ["n:one", "n:sum"], workflow, LIBRARY, "Pair");
const id = framed.id ?? "";
const held = inside(framed.graph, id, workflow, LIBRARY);

describe("a frame", () => {
  test("goes around things, and around none there is none", () => {
    const box = boxOf(`f:${id}`, framed.graph, workflow, LIBRARY);
    for (const inner of boxesOf(["n:one", "n:sum"], workflow, workflow, LIBRARY).values()) {
      expect(box && within(inner, box)).toBe(true);
    }
    expect(frameAround(workflow, ["n:gone"], workflow, LIBRARY)).toEqual({
      graph: workflow,
      id: null,
    });
  });

  test("holds what has its centre in it", () => {
    expect(held).toEqual(["n:one", "n:sum", "r:bend"]);
    expect(itemsOf(framed.graph)).toHaveLength(5);
  });

  test("in a frame is held by it, and never the other way round", () => {
    const outer = frameAround(framed.graph, [`f:${id}`], workflow, LIBRARY);
    expect(inside(outer.graph, outer.id ?? "", workflow, LIBRARY)).toContain(`f:${id}`);
    expect(inside(outer.graph, id, workflow, LIBRARY)).toEqual(held);
  });

  test("takes along what it holds, save what is pinned", () => {
    const [x, y] = placeOf(framed.graph, `f:${id}`) ?? [0, 0];
    const next = moveFrame(framed.graph, id, [x + 10, y - 5], workflow, LIBRARY);
    expect(placeOf(next, "n:one")).toEqual([10, -5]);
    expect(placeOf(next, "r:bend")).toEqual([280, 35]);
    expect(placeOf(next, "n:sum")).toEqual([300, 0]);
    expect(placeOf(next, "n:far")).toEqual([5000, 0]);
  });

  test("has a title and a colour", () => {
    const next = colourFrame(renameFrame(framed.graph, id, "New"), id, "#123456");
    expect(next.layout.frames?.[id]).toMatchObject({ title: "New", colour: "#123456" });
    expect(colourFrame(next, id, null).layout.frames?.[id]).not.toHaveProperty("colour");
    expect(renameFrame(next, "gone", "x")).toBe(next);
  });

  test("bypasses all its nodes", () => {
    const next = setFrameMode(framed.graph, id, "bypass", workflow, LIBRARY);
    expect(Object.keys(next.nodes).map((one) => next.nodes[one]?.mode)).toEqual([
      "bypass",
      "bypass",
      undefined,
    ]);
  });
});

test("things are pinned and let go, whatever they are", () => {
  const { graph } = addNote(framed.graph, [0, 0]);
  const all = [`f:${id}`, "t:note", "n:one"] as const;
  const pinned = setPinned(graph, all, true);
  expect(all.map((key) => isPinned(pinned, key))).toEqual([true, true, true]);
  expect(all.map((key) => isPinned(setPinned(pinned, all, false), key))).toEqual([
    false,
    false,
    false,
  ]);
});

test("a note is written and edited", () => {
  const { graph, id: note } = addNote(workflow, [3, 4], "# Hm");
  expect(graph.layout.notes?.[note]).toMatchObject({ at: [3, 4], text: "# Hm" });
  expect(editNote(graph, note, { text: "x" }).layout.notes?.[note]?.text).toBe("x");
  expect(editNote(graph, "gone", { text: "x" })).toBe(graph);
});
