/** Colours as the nodes read them: names of CSS, `#rgb`, `#rrggbb`, and with alpha. */

export interface Hsv {
  /** 0..360 */
  readonly h: number;
  /** 0..1 */
  readonly s: number;
  readonly v: number;
}

const SHORT = /^#([\da-f])([\da-f])([\da-f])([\da-f])?$/i;
const LONG = /^#[\da-f]{6}([\da-f]{2})?$/i;

/** `#rrggbb` or `#rrggbbaa` of a colour that is written as hex; null for others. */
function longHex(text: string): string | null {
  const trimmed = text.trim();
  if (LONG.test(trimmed)) return trimmed.toLowerCase();
  const [, ...digits] = SHORT.exec(trimmed) ?? [];
  if (digits.length === 0) return null;
  return `#${digits.map((digit) => (digit ?? "").repeat(2)).join("")}`.toLowerCase();
}

/** `#rrggbb` of any colour, names too, as the browser knows them; null if it is none. */
export function hexOf(text: string): string | null {
  const hex = longHex(text);
  if (hex) return hex;
  if (!/^[a-z]+$/i.test(text.trim())) return null;
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return null;
  // What is no colour leaves the style as it was, so it is tried over two.
  const [one, two] = ["#000000", "#ffffff"].map((under) => {
    context.fillStyle = under;
    context.fillStyle = text.trim();
    return String(context.fillStyle);
  });
  return one === two ? longHex(one ?? "") : null;
}

export function hsvOf(hex: string): Hsv {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map(
    (at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255,
  );
  const v = Math.max(r, g, b);
  const c = v - Math.min(r, g, b);
  const turn =
    c === 0 ? 0 : v === r ? ((g - b) / c + 6) % 6 : v === g ? (b - r) / c + 2 : (r - g) / c + 4;
  return { h: turn * 60, s: v === 0 ? 0 : c / v, v };
}

export function hexOfHsv({ h, s, v }: Hsv): string {
  const channel = (n: number): string => {
    const k = (n + h / 60) % 6;
    const value = v - v * s * Math.max(0, Math.min(k, 4 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(5)}${channel(3)}${channel(1)}`;
}
