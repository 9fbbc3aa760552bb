import { describe, expect, it } from "vitest";
import { beginning, fitting } from "../../src/canvas/views";
import type { Box } from "../../src/doc/geometry";
import type { Point } from "../../src/doc/types";
import type { Viewport } from "../../src/store/tabs";

const SIZE: Point = [1000, 600];
/** Where the left, the top, the right and the bottom of a box are on the screen. */
const edges = (box: Box, { x, y, zoom }: Viewport) => [
  box.x * zoom + x,
  box.y * zoom + y,
  (box.x + box.width) * zoom + x,
  (box.y + box.height) * zoom + y,
];

describe("a view that fits", () => {
  it("has a box whole and in the middle, and never larger than it is", () => {
    const small = { x: -50, y: 20, width: 200, height: 100 };
    expect(edges(small, fitting(small, SIZE, 1))).toEqual([400, 250, 600, 350]);
    const large = { x: 100, y: 0, width: 4000, height: 400 };
    const [left, , right] = edges(large, fitting(large, SIZE, 1));
    expect(left).toBeCloseTo(20);
    expect(right).toBeCloseTo(980);
  });
});

describe("the first view", () => {
  it("is the whole graph as long as that can be read", () => {
    const box = { x: 0, y: 0, width: 1200, height: 500 };
    expect(beginning(box, SIZE)).toEqual(fitting(box, SIZE, 1));
  });

  it("begins at the left of a graph that could not be read as a whole", () => {
    const box = { x: -100, y: -180, width: 2400, height: 640 };
    const view = beginning(box, SIZE);
    const [left, top, , bottom] = edges(box, view);
    expect(view.zoom).toBeGreaterThan(0.7);
    expect(left).toBe(24);
    expect((top ?? 0) + (bottom ?? 0)).toBeCloseTo(600); // in the middle, since it is not high
  });

  it("begins at the top of one that is high", () => {
    const box = { x: 0, y: 40, width: 300, height: 1500 };
    const [left, top, right] = edges(box, beginning(box, SIZE));
    expect((left ?? 0) + (right ?? 0)).toBeCloseTo(1000);
    expect(top).toBe(24);
  });

  it("is the whole of a vast graph", () => {
    const box = { x: 0, y: 0, width: 9000, height: 3000 };
    expect(beginning(box, SIZE)).toEqual(fitting(box, SIZE, 1));
  });
});
