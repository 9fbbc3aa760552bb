import { describe, expect, test } from "vitest";
import { boxesOf, boxOf, itemsOf, within } from "../../src/doc/boxes";
import {
  colourOf,
  editFrame,
  frameAround,
  inside,
  isPinned,
  setColour,
  setFrameMode,
  setPinned,
} from "../../src/doc/frames";
import { addNote, editNote } from "../../src/doc/notes";
import { sameGraph } from "../../src/doc/parse";
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

  test("has a title and a colour", () => {
    const next = editFrame(framed.graph, id, { title: "New", colour: "#123456" });
    expect(next.layout.frames?.[id]).toMatchObject({ title: "New", colour: "#123456" });
    expect(editFrame(next, "gone", { title: "x" })).toBe(next);
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

test("things are coloured and get their usual colour back, and keep the rest", () => {
  const { graph } = addNote(framed.graph, [0, 0], "words");
  const all = [`f:${id}`, "t:note", "n:sum"] as const;
  const red = setColour(graph, [...all, "r:bend", "n:gone"], "#aa0000");
  expect(all.map((key) => colourOf(red, key))).toEqual(["#aa0000", "#aa0000", "#aa0000"]);
  expect(colourOf(red, "n:one")).toBeNull();
  expect(red.layout.nodes?.sum).toEqual({ at: [300, 0], pinned: true, colour: "#aa0000" });
  expect(red.layout.reroutes).toBe(graph.layout.reroutes);
  expect(sameGraph(setColour(red, all, null), graph)).toBe(true);
});

test("a note is written and edited", () => {
  const { graph, id: note } = addNote(workflow, [3, 4], "# Hm");
  expect(graph.layout.notes?.[note]).toMatchObject({ at: [3, 4], text: "# Hm" });
  expect(editNote(graph, note, { text: "x" }).layout.notes?.[note]?.text).toBe("x");
  expect(editNote(graph, "gone", { text: "x" })).toBe(graph);
});
