import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fieldKind } from "../../src/doc/fields";
import { FIELDS } from "../../src/widgets/registry";
import { portOf, show } from "./field_kit";

afterEach(cleanup);

const press = (element: Element, key: string, more = {}) =>
  fireEvent.keyDown(element, { key, ...more });

describe("a choice", () => {
  const port = portOf({ enum: ["euler", "heun", "lms", 2] }, { name: "sampler" });
  const box = () => screen.getByRole("combobox", { name: "sampler" });

  it("lists its values and takes the one that is clicked", () => {
    const shown = show(port, "euler");
    fireEvent.click(box());
    expect(screen.getAllByRole("option").map((one) => one.textContent)).toEqual([
      "euler",
      "heun",
      "lms",
      "2",
    ]);
    fireEvent.click(screen.getByRole("option", { name: "2" }));
    expect(shown.given).toEqual([[2, true]]);
    expect(screen.queryByRole("listbox")).toBeNull();
  });

  it("is chosen by letters while it is shut", () => {
    const shown = show(port, "euler");
    press(box(), "l");
    expect(shown.value()).toBe("lms");
  });

  it("is chosen by arrows and Enter", () => {
    const shown = show(port, "euler");
    press(box(), "ArrowDown");
    press(screen.getByRole("listbox"), "ArrowDown");
    press(screen.getByRole("listbox"), "Enter");
    expect(shown.value()).toBe("heun");
    expect(document.activeElement).toBe(box());
  });

  it("is searched if it is long", () => {
    const many = Array.from({ length: 20 }, (_, at) => `sampler ${at}`);
    const shown = show(portOf({ enum: many }, { name: "sampler" }), "sampler 0");
    fireEvent.click(box());
    const search = screen.getByRole("combobox", { name: "Search sampler" });
    fireEvent.change(search, { target: { value: "17" } });
    expect(screen.getAllByRole("option")).toHaveLength(1);
    press(search, "Enter");
    expect(shown.value()).toBe("sampler 17");
  });

  it("shows a value that is none of its own", () => {
    show(port, "gone");
    expect(box().textContent).toBe("gone");
    expect(box().title).toBe("gone\ngone is no choice of sampler.");
  });
});

it("a toggle is a switch", () => {
  const shown = show(portOf({ type: "boolean" }, { name: "tiled" }), false);
  fireEvent.click(screen.getByRole("switch", { name: "tiled" }));
  expect(shown.given).toEqual([[true, true]]);
  expect(screen.getByRole("switch").getAttribute("aria-checked")).toBe("true");
});

describe("a text", () => {
  it("is one burst until it is left, and keeps its keys", () => {
    const seen: string[] = [];
    const shown = show(portOf({ type: "string" }), "fox", {}, seen);
    const box = screen.getByRole("textbox", { name: "steps" });
    fireEvent.change(box, { target: { value: "fox 2" } });
    for (const key of ["Delete", "Backspace", "a", " "]) press(box, key);
    press(box, "z", { ctrlKey: true });
    fireEvent.blur(box);
    expect(shown.given).toEqual([
      ["fox 2", false],
      ["fox 2", true],
    ]);
    expect(seen).toEqual([]);
  });

  it("lets the keys that run and save through", () => {
    const seen: string[] = [];
    show(portOf({ type: "string" }), "fox", {}, seen);
    press(screen.getByRole("textbox"), "s", { ctrlKey: true });
    press(screen.getByRole("textbox"), "Enter", { ctrlKey: true });
    expect(seen).toEqual(["s", "Enter"]);
  });

  it("that is only visited changes nothing", () => {
    const shown = show(portOf({ type: "string" }), "fox");
    fireEvent.focus(screen.getByRole("textbox"));
    fireEvent.blur(screen.getByRole("textbox"));
    expect(shown.given).toEqual([]);
  });
});

describe("a prompt", () => {
  const port = portOf({ type: "string" }, { name: "text", widget: "prompt" });
  const area = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "text" });

  it("weighs the selected words with Ctrl and arrows", () => {
    const shown = show(port, "a red fox");
    area().setSelectionRange(2, 5);
    press(area(), "ArrowUp", { ctrlKey: true });
    expect(shown.value()).toBe("a (red:1.1) fox");
    press(area(), "ArrowUp", { ctrlKey: true });
    expect(shown.value()).toBe("a (red:1.2) fox");
  });

  it("holds the wheel only while it is written in", () => {
    show(port, "a red fox");
    expect(area().className).not.toContain("nowheel");
    fireEvent.focus(area());
    expect(area().className).toContain("nowheel");
    fireEvent.blur(area());
    expect(area().className).not.toContain("nowheel");
  });
});

describe("a seed", () => {
  const port = portOf(
    { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    { name: "seed", type: "int", widget: "seed" },
  );

  it("is exact up to 2^53 - 1", () => {
    const shown = show(port, 0);
    const box = screen.getByRole("spinbutton", { name: "seed" });
    fireEvent.change(box, { target: { value: "9007199254740991" } });
    fireEvent.blur(box);
    expect(shown.value()).toBe(Number.MAX_SAFE_INTEGER);
    expect((box as HTMLInputElement).value).toBe("9007199254740991");
  });

  it("is thrown anew by its dice", () => {
    const shown = show(port, 0);
    fireEvent.click(screen.getByRole("button", { name: "New seed" }));
    expect(Number.isSafeInteger(shown.value())).toBe(true);
    expect(shown.given).toHaveLength(1);
  });

  it("says what becomes of it before each run, and takes another way", () => {
    const setSeedMode = vi.fn();
    show(port, 0, { place: "form", context: { seedMode: "random", setSeedMode } });
    const group = within(screen.getByRole("group", { name: "Before each run, seed" }));
    expect(group.getByRole("button", { name: "random" }).getAttribute("aria-pressed")).toBe("true");
    fireEvent.click(group.getByRole("button", { name: "increment" }));
    expect(setSeedMode).toHaveBeenCalledWith("increment");
  });

  it("has one button for that in a node", () => {
    show(port, 0, { context: { seedMode: "random" } });
    expect(screen.getByRole("button", { name: "Before each run, seed: random" })).toBeTruthy();
  });
});

describe("what can be off", () => {
  const port = portOf({ anyOf: [{ type: "integer", minimum: 3, maximum: 9 }, { type: "null" }] });

  it("is set to a value that may be, and unset again", () => {
    const shown = show(port, null);
    fireEvent.click(screen.getByRole("button", { name: "steps: not set" }));
    expect(shown.value()).toBe(3);
    fireEvent.click(screen.getByRole("button", { name: "Unset steps" }));
    expect(shown.value()).toBeNull();
  });

  it("cannot be unset while a wire feeds it", () => {
    show(port, 4, { disabled: true });
    expect(screen.queryByRole("button", { name: "Unset steps" })).toBeNull();
  });
});

it("a problem is told with the control", () => {
  show(portOf({ type: "integer" }), 4, { problem: "It is too low." });
  const box = screen.getByRole("spinbutton");
  expect(box.getAttribute("aria-invalid")).toBe("true");
  const described = document.getElementById(box.getAttribute("aria-describedby") ?? "");
  expect(described?.textContent).toBe("It is too low.");
});

describe("JSON", () => {
  it("is taken when it is whole, and said to be wrong until then", () => {
    const shown = show(portOf({ type: "object" }), { a: 1 });
    const area = screen.getByRole("textbox");
    fireEvent.change(area, { target: { value: '{"a": ' } });
    expect(shown.given).toEqual([]);
    expect(area.getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(area, { target: { value: '{"a": [2]}' } });
    fireEvent.blur(area);
    expect(shown.given.at(-1)).toEqual([{ a: [2] }, true]);
  });
});

describe("a colour", () => {
  const port = portOf({ type: "string" }, { name: "colour", widget: "colour" });

  it("is typed", () => {
    const shown = show(port, "white");
    const box = screen.getByRole("textbox", { name: "colour" });
    fireEvent.change(box, { target: { value: "#ff8000" } });
    fireEvent.blur(box);
    expect(shown.given.at(-1)).toEqual(["#ff8000", true]);
  });

  it("is picked with keys, and keeps its hue through grey", () => {
    const shown = show(port, "#ff0000");
    fireEvent.click(screen.getByRole("button", { name: "Pick colour" }));
    press(screen.getByRole("slider", { name: "Hue of colour" }), "ArrowRight", { shiftKey: true });
    expect(shown.value()).toBe("#ff2a00");
    const square = screen.getByRole("slider", { name: "Saturation and brightness of colour" });
    for (let count = 0; count < 10; count += 1) press(square, "ArrowLeft", { shiftKey: true });
    expect(shown.value()).toBe("#ffffff");
    for (let count = 0; count < 10; count += 1) press(square, "ArrowRight", { shiftKey: true });
    expect(shown.value()).toBe("#ff2a00");
  });
});

it("every kind but none has a component", () => {
  const kinds = ["seed", "prompt", "colour", "curve", "point", "mask", "image", "text", "number"];
  for (const widget of kinds) {
    const kind = fieldKind(portOf({}, { widget }));
    expect(kind === "none" ? null : FIELDS[kind]).toBeTypeOf("function");
  }
});

it("what a wire brings in place of nothing is said, and not shown as null", () => {
  const port = portOf({ type: "array" }, { name: "sigmas", optional: true });
  show(port, null, { disabled: true, source: "Noise levels" });
  const box = screen.getByRole("textbox", { name: "sigmas" }) as HTMLTextAreaElement;
  expect([box.value, box.placeholder]).toEqual(["", "from Noise levels"]);
  cleanup();
  show(port, null);
  expect(screen.getByRole("textbox", { name: "sigmas" }).textContent).toBe("null");
});
