/** The colours of the themes, as theme.css has them, and how they stand out from each other. */

import { readFileSync } from "node:fs";

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

export const dark = variables(":root");
/** What the light theme says again. */
export const light = variables(':root[data-theme="light"]');
export const themes = { dark, light: new Map([...dark, ...light]) };

/** Names and values of those that begin with a word. */
export const start = (names: ReadonlyMap<string, string>, prefix: string) =>
  [...names].filter(([name]) => name === prefix || name.startsWith(`${prefix}-`));

export const surfaces = (theme: keyof typeof themes): string[] =>
  start(themes[theme], "surface").map(([, colour]) => colour);

function luminance(colour: string): number {
  const channels = colour.match(/[\da-f]{2}/gi)?.map((pair) => Number.parseInt(pair, 16) / 255);
  const [r = 0, g = 0, b = 0] = (channels ?? []).map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** 1..21, as WCAG has it. */
export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
