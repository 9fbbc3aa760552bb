import { expect, it } from "vitest";
import { undoClock } from "../../src/app/undo_clock";

/** A clock, and a pointer that does something at a time of the world. */
function started() {
  const page = new EventTarget();
  let time = 0;
  const clock = undoClock(page, () => time);
  const at = (when: number, kind?: string, buttons = 1) => {
    time = when;
    if (kind) page.dispatchEvent(Object.assign(new Event(kind), { buttons }));
    return clock();
  };
  return at;
}

it("stands still while a button is down, and goes on from there", () => {
  const at = started();
  expect(at(100)).toBe(100);
  expect(at(200, "pointerdown")).toBe(200);
  expect(at(1500, "pointermove")).toBe(200);
  expect(at(3000)).toBe(200);
  expect(at(3200, "pointerup")).toBe(200);
  expect(at(3300)).toBe(300);
  at(4000, "pointerdown");
  expect(at(9000, "pointercancel")).toBe(1000);
});

it("goes on when the pointer is back without the button that was down", () => {
  const at = started();
  at(200, "pointerdown");
  expect(at(900, "pointermove", 0)).toBe(200);
  expect(at(1000)).toBe(300);
});
