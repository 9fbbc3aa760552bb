import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldHeight, fieldKind, RESIZED } from "../../src/doc/fields";
import {
  around,
  geometry,
  HEADER,
  inputPoint,
  MAX_WIDTH,
  MIN_WIDTH,
  outputPoint,
  PICTURES,
  ROW,
  WIDTH,
} from "../../src/doc/geometry";
import { faceOf, type InputFace } from "../../src/doc/library";
import type { NodeEntry, NodeLayout } from "../../src/doc/types";
import { flow, LIBRARY, node, port } from "./toys";

const faceOfEntry = (entry: NodeEntry) =>
  faceOf("x", entry, flow({ nodes: { x: entry } }), flow({}), LIBRARY);
const shapeOf = (entry: NodeEntry, layout?: NodeLayout) =>
  geometry(entry, faceOfEntry(entry), layout);
const field = (more: Parameters<typeof port>[2]): InputFace => ({
  ...port("x", "str", more),
  schema: (more?.json_schema ?? null) as InputFace["schema"],
  options: (more?.widget_options ?? {}) as InputFace["options"],
  file: more?.file ?? null,
});

describe("the geometry of a node", () => {
  const sum = node("add", { a: { node: "y" } });

  test("has its outputs above its inputs, one row below the other", () => {
    const shape = shapeOf(sum);
    expect(shape.width).toBe(WIDTH);
    expect(shape.outputs.map((row) => row.top)).toEqual([HEADER]);
    expect(shape.inputs.map((row) => row.top)).toEqual([HEADER + ROW, HEADER + ROW + 28]);
    expect(shape.inputs.map((row) => row.linked)).toEqual([true, false]);
    expect(shape.height).toBeGreaterThan(shape.inputs[1]?.top ?? 0);
  });

  test("has one socket more than links for an input that grows", () => {
    const rows = shapeOf(node("join", { parts: [{ node: "y" }, { node: "z" }] })).inputs;
    expect(rows.map((row) => [row.index, row.linked])).toEqual([
      [0, true],
      [1, true],
      [2, false],
    ]);
    expect(shapeOf(node("join")).inputs).toHaveLength(1);
  });

  test("is the same object while nothing that matters changes", () => {
    const shape = shapeOf(sum, { at: [0, 0] });
    expect(shapeOf(sum, { at: [9, 9], title: "Moved" })).toBe(shape);
    expect(shapeOf(sum, { at: [9, 9], width: 400 })).not.toBe(shape);
  });

  test("is a header alone, with all sockets in its middle, if it is collapsed", () => {
    const shape = shapeOf(sum, { at: [0, 0], collapsed: true });
    expect(shape.height).toBe(HEADER);
    const sockets = [...shape.inputs, ...shape.outputs].map((row) => row.socket);
    expect(new Set(sockets)).toEqual(new Set([HEADER / 2]));
  });

  test("has room for pictures where a node shows some, unless that is hidden", () => {
    const save = node("save");
    expect(shapeOf(save).pictures?.height).toBe(PICTURES.result);
    expect(shapeOf(save, { at: [0, 0], pictures: false }).pictures).toBeNull();
    const blur = node("blur");
    expect(shapeOf(blur).pictures).toBeNull();
    expect(shapeOf(blur, { at: [0, 0], pictures: true }).pictures?.height).toBe(PICTURES.value);
  });

  test("is never too narrow or too wide", () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 5000 }), (width) => {
        const shape = shapeOf({ ...sum }, { at: [0, 0], width });
        expect(shape.width).toBeGreaterThanOrEqual(MIN_WIDTH);
        expect(shape.width).toBeLessThanOrEqual(MAX_WIDTH);
      }),
    );
  });

  test("says where sockets lie on the canvas", () => {
    const shape = shapeOf(sum);
    expect(inputPoint([100, 200], shape, "a", null)).toEqual([100, 200 + HEADER + ROW + 14]);
    expect(outputPoint([100, 200], shape, undefined)).toEqual([
      100 + WIDTH,
      200 + HEADER + ROW / 2,
    ]);
    expect(inputPoint([0, 0], shape, "gone", null)).toEqual([0, HEADER / 2]);
    expect(outputPoint([0, 0], shape, "gone")).toEqual([WIDTH, HEADER / 2]);
  });
});

test("the box around boxes is the smallest, and around none there is none", () => {
  const box = (x: number, y: number) => ({ x, y, width: 10, height: 20 });
  expect(around([box(0, 5), box(30, -5)])).toEqual({ x: 0, y: -5, width: 40, height: 30 });
  expect(around([])).toBeNull();
});

describe("the control of an input", () => {
  test("follows from its widget, its file, or what its literal must be", () => {
    const kinds = [
      field({ widget: "seed", json_schema: { type: "integer" } }),
      field({ widget: "pack.own", json_schema: {} }),
      field({ file: { root: "inputs", folder: false }, json_schema: { type: "string" } }),
      field({ file: { root: "checkpoints", folder: false }, json_schema: { type: "string" } }),
      field({ json_schema: { enum: ["a", "b"] } }),
      field({ json_schema: { type: "boolean" } }),
      field({ json_schema: { anyOf: [{ type: "number" }, { type: "null" }] } }),
      field({ json_schema: { type: "string" } }),
      field({ json_schema: { type: "array" } }),
      field({}),
      field({ grows: true, json_schema: {} }),
    ].map(fieldKind);
    expect(kinds).toEqual([
      "seed",
      "plugin",
      "image",
      "file",
      "choice",
      "toggle",
      "number",
      "text",
      "json",
      "none",
      "none",
    ]);
  });

  test("is as high as the user made it, within limits", () => {
    const prompt = field({ widget: "prompt", json_schema: { type: "string" } });
    expect(fieldHeight(prompt, 200)).toBe(200);
    expect(fieldHeight(prompt, 1)).toBe(RESIZED.least);
    expect(fieldHeight(prompt, 9999)).toBe(RESIZED.most);
  });
});
