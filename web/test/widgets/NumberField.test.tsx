import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { portOf, show } from "./field_kit";

afterEach(cleanup);

const STEPS = portOf({ type: "integer", minimum: 1, maximum: 150 }, { type: "int" });
const box = () => screen.getByRole<HTMLInputElement>("spinbutton", { name: "steps" });
const type = (text: string) => fireEvent.change(box(), { target: { value: text } });
const press = (key: string, more = {}) => fireEvent.keyDown(box(), { key, ...more });

describe("a number", () => {
  it("tells its value and its limits", () => {
    show(STEPS, 20);
    expect(box().value).toBe("20");
    expect(box().getAttribute("aria-valuenow")).toBe("20");
    expect(box().getAttribute("aria-valuemin")).toBe("1");
    expect(box().getAttribute("aria-valuemax")).toBe("150");
  });

  it("steps with arrows, ten times with Shift", () => {
    const shown = show(STEPS, 20);
    press("ArrowUp");
    expect(shown.value()).toBe(21);
    press("ArrowDown", { shiftKey: true });
    expect(shown.value()).toBe(11);
    expect(shown.given.every(([, done]) => done)).toBe(true);
  });

  it("goes to its limits with Home and End", () => {
    const shown = show(STEPS, 20);
    press("End");
    expect(shown.value()).toBe(150);
    press("Home");
    expect(shown.value()).toBe(1);
  });

  it("works out a sum that is typed", () => {
    const shown = show(portOf({ type: "integer" }), 0);
    type("1024/2");
    press("Enter");
    expect(shown.value()).toBe(512);
    expect(shown.given.at(-1)).toEqual([512, true]);
    expect(box().value).toBe("512");
  });

  it("clamps what is typed, and says so", () => {
    const shown = show(STEPS, 20);
    type("1000");
    expect(shown.given).toEqual([]);
    press("Enter");
    expect(shown.value()).toBe(150);
    expect(screen.getByRole("status").textContent).toBe("At most 150.");
  });

  it("takes what is typed at once, as one burst", () => {
    const shown = show(STEPS, 20);
    type("3");
    type("33");
    fireEvent.blur(box());
    expect(shown.given).toEqual([
      [3, false],
      [33, false],
      [33, true],
    ]);
  });

  it("brings the former number back with Escape", () => {
    const shown = show(STEPS, 20);
    type("33");
    press("Escape");
    expect(shown.given.at(-1)).toEqual([20, true]);
    expect(box().value).toBe("20");
  });

  it("keeps the former number if what is typed is none", () => {
    const shown = show(STEPS, 20);
    type("many");
    fireEvent.blur(box());
    expect(shown.given).toEqual([]);
    expect(box().value).toBe("20");
  });

  it("changes nothing when it is only visited", () => {
    const shown = show(STEPS, 20);
    fireEvent.focus(box());
    press("Enter");
    press("Enter");
    fireEvent.blur(box());
    expect(shown.given).toEqual([]);
  });

  it("rounds to whole numbers where only they will do", () => {
    const shown = show(STEPS, 20);
    type("7/2");
    press("Enter");
    expect(shown.value()).toBe(4);
  });
});

describe("dragging a number", () => {
  const drag = (moves: readonly number[], more = {}) => {
    fireEvent.pointerDown(box(), { pointerId: 1, button: 0, clientX: 100 });
    for (const clientX of moves) fireEvent.pointerMove(box(), { pointerId: 1, clientX, ...more });
    fireEvent.pointerUp(box(), { pointerId: 1, clientX: moves.at(-1) ?? 100 });
  };

  it("moves it by steps, and ends once", () => {
    const shown = show(STEPS, 20);
    drag([104, 110, 120, 140]);
    expect(shown.value()).toBe(30);
    expect(shown.given.filter(([, done]) => done)).toEqual([[30, true]]);
  });

  it("is finer with Shift", () => {
    const shown = show(
      portOf({ type: "number", minimum: 0, maximum: 30 }, { options: { step: 0.5 } }),
      7,
    );
    drag([140], { shiftKey: true });
    expect(shown.value()).toBe(7.5);
  });

  it("comes back from a limit at once", () => {
    const shown = show(STEPS, 149);
    drag([300, 296]);
    expect(shown.value()).toBe(149);
  });

  it("is a click if it hardly moves", () => {
    const shown = show(STEPS, 20);
    drag([101]);
    expect(shown.given).toEqual([]);
    expect(document.activeElement).toBe(box());
  });
});

describe("keys in a number", () => {
  it("that are its own do not reach the graph", () => {
    const seen: string[] = [];
    show(STEPS, 20, {}, seen);
    for (const key of ["5", "Delete", "Backspace", "ArrowUp", "Enter", " "]) press(key);
    expect(seen).toEqual([]);
  });

  it("that mean the graph reach it, unless a text is edited", () => {
    const seen: string[] = [];
    show(STEPS, 20, {}, seen);
    press("z", { ctrlKey: true });
    expect(seen).toEqual(["z"]);
    type("3");
    press("z", { ctrlKey: true });
    expect(seen).toEqual(["z"]);
  });

  it("count what was typed before Ctrl+Enter runs", () => {
    const seen: string[] = [];
    const shown = show(STEPS, 20, {}, seen);
    type("33");
    press("Enter", { ctrlKey: true });
    expect(shown.given.at(-1)).toEqual([33, true]);
    expect(seen).toEqual(["Enter"]);
  });
});

it("the wheel steps a number only while it has the focus", () => {
  const shown = show(STEPS, 20);
  fireEvent.wheel(box(), { deltaY: -100 });
  expect(shown.given).toEqual([]);
  box().focus();
  fireEvent.wheel(box(), { deltaY: -100 });
  expect(shown.value()).toBe(21);
});
