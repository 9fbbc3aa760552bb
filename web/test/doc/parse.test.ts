import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withNodeLayout } from "../../src/doc/edits";
import { canonical, parseWorkflow, sameGraph } from "../../src/doc/parse";
import documents from "../tables/canonical.json";
import { flow, graphs, node } from "./toys";

/** Python writes floats that are whole with `.0`, which JavaScript cannot tell from whole numbers. */
const asHere = (text: string): string => text.replace(/^(.*[ [])(-?\d+)\.0(,?)$/gm, "$1$2$3");

const WORKFLOWS = "../workflows";
const shipped = readdirSync(WORKFLOWS).filter((name) => name.endsWith(".json"));

describe("a document that was read", () => {
  test("has every part", () => {
    expect(parseWorkflow({ nodeflow: 1 })).toEqual(flow({}));
  });

  test("keeps keys that nobody here knows", () => {
    const data = {
      nodeflow: 1,
      later: 1,
      nodes: { a: { type: "x", later: 2 } },
      groups: { g: { later: 3, layout: { later: 4 } } },
      layout: { later: 5 },
    };
    expect(parseWorkflow(data)).toMatchObject(data);
  });

  test("has frames and notes by id, where older files list them", () => {
    const { layout } = parseWorkflow({
      nodeflow: 1,
      layout: {
        frames: [{ id: "mine", at: [1, 2], size: [3, 4], title: "F" }, { at: [5, 6] }, 7],
        notes: [{ text: "N" }],
      },
    });
    expect(layout.frames).toEqual({
      mine: { at: [1, 2], size: [3, 4], title: "F" },
      "2": { at: [5, 6], size: [320, 200], title: "" },
    });
    expect(layout.notes).toEqual({ "1": { at: [0, 0], size: [320, 200], text: "N" } });
  });

  test("has a layout that can be drawn, whatever the file says there", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...LAYOUT), fc.jsonValue()), (layout) => {
        const read = parseWorkflow({ nodeflow: 1, layout }).layout;
        for (const frame of Object.values(read.frames ?? {})) expect(frame.at).toHaveLength(2);
        for (const via of Object.values(read.wires ?? {})) expect(Array.isArray(via)).toBe(true);
        for (const name of read.inputs ?? []) expect(typeof name).toBe("string");
      }),
    );
  });
});

const LAYOUT = ["nodes", "frames", "notes", "reroutes", "wires", "inputs", "outputs"];

describe("the canonical text", () => {
  test.each(documents)("is Python's, for document %#", ({ document, text }) => {
    expect(canonical(parseWorkflow(document))).toBe(asHere(text));
  });

  test.each(shipped)("is Python's, for %s", (name) => {
    const text = readFileSync(`${WORKFLOWS}/${name}`, "utf8");
    // Frames that an older file lists are a record here.
    const lists = text
      .replace('"frames": []', '"frames": {}')
      .replace('"notes": []', '"notes": {}');
    expect(canonical(parseWorkflow(JSON.parse(text)))).toBe(asHere(lists));
  });

  test("says nothing of what is silent", () => {
    const loud = flow({ nodes: { a: { type: "x", mode: null, repeat: null, inputs: {} } } });
    expect(canonical(loud)).toBe(canonical(flow({ nodes: { a: { type: "x" } } })));
  });

  test("is read back as the same document", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const workflow = flow(graph);
        const again = parseWorkflow(JSON.parse(canonical(workflow)));
        expect(sameGraph(again, workflow)).toBe(true);
        expect(canonical(again)).toBe(canonical(workflow));
      }),
    );
  });
});

describe("two graphs", () => {
  const one = flow({
    nodes: { a: node("add", { a: 1, b: { x: 2 } }) },
    outputs: { o: { node: "a" } },
  });

  test("are the same in any order, and with what is silent", () => {
    const nodes = { a: { mode: null, inputs: { b: { x: 2 }, a: 1 }, type: "toy.add" } };
    const other = flow({ nodes, outputs: { o: { node: "a", output: "" } } });
    expect(sameGraph(one, other)).toBe(true);
  });

  test("differ in a value or a place", () => {
    const moved = withNodeLayout(one, "a", () => ({ at: [1, 1] }));
    expect(sameGraph(one, moved)).toBe(false);
    const other = { ...one, nodes: { a: node("add", { a: 1, b: { y: 2 } }) } };
    expect(sameGraph(one, other)).toBe(false);
  });

  test("are the same exactly if their texts are", () => {
    fc.assert(
      fc.property(graphs, graphs, (left, right) => {
        const [a, b] = [flow(left), flow(right)];
        expect(sameGraph(a, b)).toBe(canonical(a) === canonical(b));
      }),
    );
  });
});
