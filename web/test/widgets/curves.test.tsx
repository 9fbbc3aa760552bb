import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { addPoint, curveOf, movePoint, removePoint } from "../../src/widgets/curves";
import { portOf, show } from "./field_kit";

afterEach(cleanup);

const port = portOf({ type: "array" }, { name: "tones", widget: "curve" });
const START = [
  [0, 0],
  [0.5, 0.6],
  [1, 1],
];

describe("a curve", () => {
  it("comes back from JSON as it was", () => {
    const curve = curveOf(JSON.parse(JSON.stringify(START)));
    expect(curve).toEqual(START);
  });

  it("keeps its points in order, and two at least", () => {
    const curve = curveOf(START);
    expect(movePoint(curve, 1, [2, 0.3])[1]).toEqual([1, 0.3]);
    expect(addPoint(curve, [0.7, 0.2])).toEqual({
      curve: [
        [0, 0],
        [0.5, 0.6],
        [0.7, 0.2],
        [1, 1],
      ],
      index: 2,
    });
    expect(removePoint(curve, 1)).toHaveLength(2);
    expect(removePoint(removePoint(curve, 1), 0)).toHaveLength(2);
  });

  it("is moved with arrows", () => {
    const shown = show(port, START);
    fireEvent.keyDown(screen.getByRole("slider", { name: "Point 2 of tones" }), { key: "ArrowUp" });
    expect(shown.value()).toEqual([
      [0, 0],
      [0.5, 0.61],
      [1, 1],
    ]);
  });

  it("is typed", () => {
    const shown = show(port, START);
    fireEvent.focus(screen.getByRole("slider", { name: "Point 2 of tones" }));
    const y = screen.getByRole("spinbutton", { name: "y of point 2 of tones" });
    fireEvent.change(y, { target: { value: "1/4" } });
    fireEvent.blur(y);
    expect(shown.given.at(-1)).toEqual([
      [
        [0, 0],
        [0.5, 0.25],
        [1, 1],
      ],
      true,
    ]);
  });

  it("loses a point with Delete, and the node stays", () => {
    const seen: string[] = [];
    const shown = show(port, START, {}, seen);
    const point = screen.getByRole("slider", { name: "Point 2 of tones" });
    fireEvent.focus(point);
    fireEvent.keyDown(point, { key: "Delete" });
    expect(shown.value()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(seen).toEqual([]);
  });
});

it("a point is typed, and picked with keys", () => {
  const shown = show(portOf({ type: "array" }, { name: "centre", widget: "point" }), [0.5, 0.5]);
  const x = screen.getByRole("spinbutton", { name: "x of centre" });
  fireEvent.change(x, { target: { value: "0.25" } });
  fireEvent.blur(x);
  expect(shown.value()).toEqual([0.25, 0.5]);
  fireEvent.click(screen.getByRole("button", { name: "Pick centre" }));
  const pad = screen.getByRole("slider", { name: "Place of centre" });
  fireEvent.keyDown(pad, { key: "ArrowDown", shiftKey: true });
  expect(shown.value()).toEqual([0.25, 0.6]);
});
