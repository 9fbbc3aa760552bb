import { describe, expect, it } from "vitest";
import { type Brush, type Mask, maskOf, paintLine, withMask } from "../../src/pictures/mask";
import { Painting } from "../../src/pictures/painting";
import type { Pixels } from "../../src/pictures/png";
import { Strokes } from "../../src/pictures/strokes";
import { centred, fitted, placeAt, zoomedAt } from "../../src/pictures/view";

const HARD: Brush = { size: 4, soft: false, erases: false };
const empty = (width: number, height: number): Mask => ({
  width,
  height,
  data: new Uint8Array(width * height),
});
const grey = (width: number, height: number): Pixels => ({
  width,
  height,
  channels: 1,
  data: new Uint8Array(width * height).fill(90),
  colour: [],
});
const drawn = (mask: Mask) => mask.data.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);

describe("a line", () => {
  it("of a hard brush is every pixel whose centre is within half the brush, and full", () => {
    const mask = empty(20, 12);
    paintLine(mask, [5, 6], [14, 6], HARD);
    for (let y = 0; y < 12; y++) {
      for (let x = 0; x < 20; x++) {
        const along = Math.min(14, Math.max(5, x + 0.5));
        const near = Math.hypot(x + 0.5 - along, y + 0.5 - 6) <= 2;
        expect(mask.data[y * 20 + x], `${x} ${y}`).toBe(near ? 255 : 0);
      }
    }
  });

  it("that leaves the picture paints what is inside", () => {
    const mask = empty(8, 8);
    const area = paintLine(mask, [-20, -20], [2, 2], HARD);
    expect(area).toEqual({ left: 0, top: 0, right: 5, bottom: 5 });
    expect(mask.data[0]).toBe(255);
    expect(paintLine(mask, [90, 90], [95, 90], HARD)).toMatchObject({ left: 8, right: 8 });
  });

  it("of a soft brush falls off, and is no harder where it goes twice", () => {
    const mask = empty(40, 40);
    const soft = { ...HARD, size: 30, soft: true };
    paintLine(mask, [20, 20], [20, 20], soft);
    const once = mask.data.slice();
    const along = [20, 26, 29, 32, 34].map((x) => once[20 * 40 + x] ?? 0);
    expect(along[0]).toBe(255);
    expect(along).toEqual([...along].sort((a, b) => b - a));
    expect(along[3]).toBeGreaterThan(0);
    expect(along[3]).toBeLessThan(128);
    paintLine(mask, [20, 20], [20, 20], soft);
    expect(mask.data).toEqual(once);
  });

  it("of the eraser takes away", () => {
    const mask = empty(10, 10);
    mask.data.fill(255);
    paintLine(mask, [5, 5], [5, 5], { ...HARD, erases: true });
    expect(mask.data[5 * 10 + 5]).toBe(0);
    expect(mask.data[0]).toBe(255);
  });
});

describe("painting", () => {
  it("undoes a whole stroke, and what acts on all; redo gives it back", () => {
    const painting = new Painting(grey(30, 30));
    painting.begin([5, 5], HARD);
    painting.lineTo([15, 5], HARD);
    painting.lineTo([15, 20], HARD);
    painting.end();
    const stroke = painting.mask.data.slice();
    painting.invert();
    expect(painting.mask.data[0]).toBe(255);
    painting.undo();
    expect(painting.mask.data).toEqual(stroke);
    painting.undo();
    expect(drawn(painting.mask)).toBe(0);
    expect(painting.canUndo).toBe(false);
    painting.redo();
    expect(painting.mask.data).toEqual(stroke);
    painting.fill(0);
    expect(painting.canRedo).toBe(false);
  });

  it("forgets a stroke that was cancelled", () => {
    const painting = new Painting(grey(30, 30));
    painting.begin([5, 5], HARD);
    painting.end();
    const before = painting.mask.data.slice();
    painting.begin([6, 6], { ...HARD, size: 20 });
    painting.cancel();
    expect(painting.mask.data).toEqual(before);
    painting.undo();
    expect(drawn(painting.mask)).toBe(0);
  });

  it("keeps no more steps than fit, and always the last", () => {
    const mask = empty(10, 10);
    const strokes = new Strokes(mask, 150);
    for (const value of [1, 2, 3]) {
      mask.data.fill(value);
      strokes.keep({ left: 0, top: 0, right: 10, bottom: 10 });
    }
    strokes.undo();
    expect(mask.data[0]).toBe(2);
    expect(strokes.undo()).toBeNull();
  });
});

describe("a picture", () => {
  const rgba = (alpha: readonly number[]): Pixels => ({
    width: 2,
    height: 1,
    channels: 4,
    data: Uint8Array.from(alpha.flatMap((one, at) => [10 + at, 20, 30, one])),
    colour: [],
  });

  it("has its alpha as its mask, and none without a transparent pixel", () => {
    expect([...maskOf(rgba([0, 200])).data]).toEqual([0, 200]);
    expect([...maskOf(rgba([255, 255])).data]).toEqual([0, 0]);
    expect([...maskOf(grey(2, 1)).data]).toEqual([0, 0]);
  });

  it("keeps its colours beneath the mask", () => {
    const masked = withMask(rgba([0, 200]), { ...empty(2, 1), data: Uint8Array.from([255, 0]) });
    expect([...masked.data]).toEqual([10, 20, 30, 255, 11, 20, 30, 0]);
    const once = withMask(grey(1, 1), empty(1, 1));
    expect([...once.data]).toEqual([90, 90, 90, 0]);
  });
});

describe("a view", () => {
  const frame = { width: 200, height: 100 };

  it("shows a large picture whole, and a small one as it is", () => {
    expect(fitted({ width: 400, height: 400 }, frame)).toEqual({ scale: 0.25, x: 50, y: 0 });
    expect(fitted({ width: 20, height: 20 }, frame)).toEqual({ scale: 1, x: 90, y: 40 });
  });

  it("zooms around what is under the pointer", () => {
    const view = centred({ width: 400, height: 400 }, frame, 1);
    const at = [30, 80] as const;
    const before = placeAt(view, at);
    const nearer = zoomedAt(view, 2.5, at);
    expect(nearer.scale).toBe(2.5);
    for (const axis of [0, 1] as const) expect(placeAt(nearer, at)[axis]).toBeCloseTo(before[axis]);
  });
});
