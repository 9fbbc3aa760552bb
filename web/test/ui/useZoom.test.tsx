import { act, cleanup, renderHook } from "@testing-library/react";
import type { PointerEvent } from "react";
import { afterEach, expect, it } from "vitest";
import { useZoom } from "../../src/ui/useZoom";

afterEach(cleanup);

const finger = (pointerId: number, clientX: number, clientY = 0, pointerType = "touch") =>
  ({ pointerId, clientX, clientY, pointerType }) as PointerEvent;

const show = () => renderHook(() => useZoom({ width: 400, height: 300 })).result;

it("two fingers zoom and move the picture between them, and one of them draws", () => {
  const zoom = show();
  expect(zoom.current.down(finger(1, 60), false)).toBe(false);
  expect(zoom.current.move(finger(1, 100))).toBe(false);
  expect(zoom.current.view).toEqual({ scale: 1, x: 0, y: 0 });
  act(() => {
    expect(zoom.current.down(finger(2, 200), false)).toBe(true);
    expect(zoom.current.move(finger(2, 300))).toBe(true);
  });
  // What was in the middle of 100 and 200 is in the middle of 100 and 300.
  expect(zoom.current.view).toEqual({ scale: 2, x: -100, y: 0 });
  // The finger that is left does not begin to draw.
  expect(zoom.current.up(finger(2, 300))).toBe(true);
  expect(zoom.current.up(finger(1, 100))).toBe(true);
  expect(zoom.current.down(finger(3, 50), false)).toBe(false);
});

it("a pointer that pans moves the picture alone", () => {
  const zoom = show();
  act(() => {
    expect(zoom.current.down(finger(1, 10, 10, "mouse"), true)).toBe(true);
    zoom.current.move(finger(1, 40, 5, "mouse"));
  });
  expect(zoom.current.view).toEqual({ scale: 1, x: 30, y: -5 });
  zoom.current.up(finger(1, 40, 5, "mouse"));
  expect(zoom.current.move(finger(1, 90, 90, "mouse"))).toBe(false);
});
