import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { repaint, statusesDiffer } from "../../src/canvas/repaint";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is asked for often is painted once, with the next picture of the screen", () => {
  const paint = vi.fn();
  const { ask } = repaint(paint);
  ask();
  ask();
  expect(paint).not.toHaveBeenCalled();
  vi.advanceTimersByTime(20);
  expect(paint).toHaveBeenCalledTimes(1);
});

test("what may lag is painted at once, then only so often, and never misses the last change", () => {
  const paint = vi.fn();
  const { ask } = repaint(paint, 100);
  for (let at = 0; at < 300; at += 10) {
    ask();
    vi.advanceTimersByTime(10);
  }
  expect(paint.mock.calls.length).toBeGreaterThanOrEqual(2);
  expect(paint.mock.calls.length).toBeLessThanOrEqual(3);
  const before = paint.mock.calls.length;
  ask();
  vi.advanceTimersByTime(200);
  expect(paint).toHaveBeenCalledTimes(before + 1);
});

test("nothing is painted after the end", () => {
  const paint = vi.fn();
  const { ask, stop } = repaint(paint, 100);
  ask();
  vi.advanceTimersByTime(20);
  ask();
  stop();
  vi.advanceTimersByTime(500);
  expect(paint).toHaveBeenCalledTimes(1);
});

test("a step more is no other status, an end or another node is", () => {
  const one = { a: { status: "running", step: 1 } } as const;
  expect(statusesDiffer({ a: { status: "running", step: 2 } }, one)).toBe(false);
  expect(statusesDiffer({ a: { status: "ran" } }, one)).toBe(true);
  expect(statusesDiffer({ ...one, b: { status: "waiting" } }, one)).toBe(true);
  expect(statusesDiffer({}, one)).toBe(true);
  expect(statusesDiffer(undefined, undefined)).toBe(false);
});
