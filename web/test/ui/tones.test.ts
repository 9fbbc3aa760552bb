import { describe, expect, it } from "vitest";
import { type Theme, toneIn, toneOf } from "../../src/ui/tones";
import { contrast, surfaces } from "./theme_sheet";

/** Colours from all over, as a pack may give them to its types. */
const STEPS = [0, 32, 64, 96, 128, 160, 192, 224, 255];
const ANY = STEPS.flatMap((r) => STEPS.flatMap((g) => STEPS.map((b) => hex(r, g, b))));

function hex(...channels: number[]): string {
  return `#${channels.map((one) => one.toString(16).padStart(2, "0")).join("")}`;
}

describe.each<Theme>(["light", "dark"])("a colour in the %s theme", (theme) => {
  it("can be seen on every surface, whatever it is", () => {
    const under = surfaces(theme);
    expect(under.length).toBeGreaterThan(6);
    const weak = ANY.flatMap((colour) => {
      const tone = toneIn(theme, colour);
      return under.filter((one) => contrast(tone, one) < 3).map((one) => [colour, tone, one]);
    });
    expect(weak).toEqual([]);
  });
});

it("a colour that can be seen stays as it was chosen", () => {
  expect(toneIn("dark", "#4f9df7")).toBe("#4f9df7");
  expect(toneIn("light", "#9c2f6d")).toBe("#9c2f6d");
});

it("a tone has the hue of its colour", () => {
  expect(toneIn("light", "#00ff00")).toMatch(/^#00[\da-f]{2}00$/);
  const [r, g, b] = [1, 3, 5].map((at) =>
    Number.parseInt(toneIn("light", "#e8d44d").slice(at, at + 2), 16),
  );
  expect(r).toBeGreaterThan(g ?? 0);
  expect(g).toBeGreaterThan(2 * (b ?? 255));
});

it("in styles the theme chooses the tone", () => {
  expect(toneOf("#4f9df7")).toBe(`light-dark(${toneIn("light", "#4f9df7")}, #4f9df7)`);
  expect(toneOf("var(--line)")).toBe("var(--line)");
});
