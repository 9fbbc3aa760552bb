import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const sheet = readFileSync("src/ui/theme.css", "utf8");

function variables(selector: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, head, body] of sheet.matchAll(/^(:root\S*) \{([^}]*)\}/gm)) {
    if (head !== selector) continue;
    for (const [, name, value] of (body ?? "").matchAll(/--([\w-]+):\s*([^;]+);/g)) {
      found.set(name ?? "", (value ?? "").trim());
    }
  }
  return found;
}

function luminance(colour: string): number {
  const channels = colour.match(/[\da-f]{2}/gi)?.map((pair) => Number.parseInt(pair, 16) / 255);
  const [r = 0, g = 0, b = 0] = (channels ?? []).map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const dark = variables(":root");
const themes = {
  dark,
  light: new Map([...dark, ...variables(':root[data-theme="light"]')]),
};

const start = (names: ReadonlyMap<string, string>, prefix: string) =>
  [...names].filter(([name]) => name === prefix || name.startsWith(`${prefix}-`));

/** Pairs that fall short, with their ratio, so that a failure names them. */
function short(names: ReadonlyMap<string, string>, front: string, least: number): string[] {
  return start(names, front).flatMap(([name, colour]) =>
    start(names, "surface")
      .map(([surface, under]) => ({ surface, ratio: contrast(colour, under) }))
      .filter(({ ratio }) => ratio < least)
      .map(({ surface, ratio }) => `${name} on ${surface}: ${ratio.toFixed(2)}`),
  );
}

describe.each(Object.entries(themes))("the %s theme", (_, names) => {
  it("has texts that can be read on every surface", () => {
    expect(start(names, "text").length).toBeGreaterThan(4);
    expect(start(names, "surface").length).toBeGreaterThan(6);
    expect(short(names, "text", 4.5)).toEqual([]);
  });

  it("has marks that can be seen on every surface", () => {
    expect(short(names, "mark", 3)).toEqual([]);
  });

  it("has texts that can be read on its fills", () => {
    const weak = start(names, "fill")
      .map(
        ([name, fill]) =>
          [name, contrast(fill, names.get(name.replace("fill", "on")) ?? fill)] as const,
      )
      .filter(([, ratio]) => ratio < 4.5);
    expect(weak).toEqual([]);
  });
});

it("the light theme says again every colour of the dark one", () => {
  const light = variables(':root[data-theme="light"]');
  const colours = [...dark].filter(([, value]) => /^(#|rgb)/.test(value)).map(([name]) => name);
  expect(colours.filter((name) => !light.has(name))).toEqual([]);
});
