/**
 * Tones: colours of types, nodes and frames as they can be seen in a theme.
 *
 * Who chooses a colour sees it in one theme, and what is thin needs a contrast of 3 to what it lies
 * on, as WCAG asks of what is no text. Only what falls short is changed, and it keeps its hue.
 */

export type Theme = "light" | "dark";

/** Luminance, 0..1, that has that contrast to every surface of the theme. */
const MOST_ON_LIGHT = 0.215;
const LEAST_ON_DARK = 0.235;

const HEX = /^#[\da-f]{6}$/i;

/** Channels, 0..1, in proportion to light. */
type Light = readonly number[];

const known = new Map<string, Readonly<Record<Theme, string>>>();

/** A colour as it is painted in a theme; what is not `#rrggbb` stays as it is. */
export function toneIn(theme: Theme, colour: string): string {
  if (!HEX.test(colour)) return colour;
  let tones = known.get(colour);
  if (!tones) {
    const light = lightOf(colour);
    tones = { light: hexOf(darkened(light), colour), dark: hexOf(lightened(light), colour) };
    known.set(colour, tones);
  }
  return tones[theme];
}

/** A colour for styles, which follows the theme by itself. */
export const toneOf = (colour: string): string =>
  HEX.test(colour) ? `light-dark(${toneIn("light", colour)}, ${toneIn("dark", colour)})` : colour;

function darkened(light: Light): Light | null {
  const now = luminanceOf(light);
  return now <= MOST_ON_LIGHT ? null : light.map((one) => (one * MOST_ON_LIGHT) / now);
}

function lightened(light: Light): Light | null {
  const now = luminanceOf(light);
  if (now >= LEAST_ON_DARK) return null;
  const white = (LEAST_ON_DARK - now) / (1 - now);
  return light.map((one) => one + (1 - one) * white);
}

const lightOf = (colour: string): Light =>
  [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });

const luminanceOf = ([r = 0, g = 0, b = 0]: Light): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function hexOf(light: Light | null, unchanged: string): string {
  if (light === null) return unchanged;
  const parts = light.map((one) => {
    const part = one <= 0.0031308 ? one * 12.92 : 1.055 * one ** (1 / 2.4) - 0.055;
    return Math.round(part * 255)
      .toString(16)
      .padStart(2, "0");
  });
  return `#${parts.join("")}`;
}
