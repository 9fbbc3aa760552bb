import { describe, expect, it } from "vitest";
import { contrast, dark, light, start, themes } from "./theme_sheet";

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
  const colours = [...dark].filter(([, value]) => /^(#|rgb)/.test(value)).map(([name]) => name);
  expect(colours.filter((name) => !light.has(name))).toEqual([]);
});
