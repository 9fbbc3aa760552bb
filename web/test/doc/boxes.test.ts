import { describe, expect, it } from "vitest";
import { holds, touch, within } from "../../src/doc/boxes";

const box = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });
const area = box(0, 0, 100, 50);

describe("two boxes", () => {
  it("touch if they have a point in common, at an edge too", () => {
    expect(touch(box(90, 40, 20, 20), area)).toBe(true);
    expect(touch(box(100, 50, 5, 5), area)).toBe(true);
    expect(touch(box(-20, -20, 300, 300), area)).toBe(true);
    expect(touch(box(101, 0, 5, 5), area)).toBe(false);
    expect(touch(box(0, -6, 5, 5), area)).toBe(false);
  });

  it("lie within each other only as a whole", () => {
    expect(within(box(10, 10, 90, 40), area)).toBe(true);
    expect(within(box(90, 40, 20, 5), area)).toBe(false);
  });

  it("hold the points of their edges", () => {
    expect(holds(area, [100, 50])).toBe(true);
    expect(holds(area, [50, 51])).toBe(false);
  });
});
