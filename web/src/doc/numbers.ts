/** Numbers as people type and read them: sums, limits, steps, digits. */

export interface Limits {
  readonly min: number | null;
  readonly max: number | null;
  /** What an arrow key adds; null if nothing says. */
  readonly step: number | null;
  readonly whole: boolean;
}

const PRIORITY: Readonly<Record<string, number>> = {
  "+": 1,
  "-": 1,
  "*": 2,
  "/": 2,
  "%": 2,
  "^": 4,
};

function apply(sign: string, a: number, b: number): number {
  switch (sign) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a % b;
    default:
      return a ** b;
  }
}

const TOKEN = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([-+*/%^()]))/iy;

function tokens(text: string): (number | string)[] | null {
  const found: (number | string)[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const [, digits, sign] = TOKEN.exec(trimmed) ?? [];
    if (digits !== undefined) found.push(Number(digits));
    else if (sign !== undefined) found.push(sign);
    else return null;
  }
  return found;
}

/** What a sum is, `1024/2` or `2*(3+4)`; null if the text is none. A comma is a point. */
export function evaluate(text: string): number | null {
  const list = tokens(text.replaceAll("−", "-").replaceAll("×", "*").replaceAll(",", "."));
  if (!list || list.length === 0) return null;
  let at = 0;
  const one = (depth: number): number => {
    const token = list[at++];
    if (depth > 50) return Number.NaN;
    if (typeof token === "number") return token;
    if (token === "-") return -chain(one(depth + 1), 3, depth + 1);
    if (token === "+") return chain(one(depth + 1), 3, depth + 1);
    if (token !== "(") return Number.NaN;
    const inner = chain(one(depth + 1), 1, depth + 1);
    return list[at++] === ")" ? inner : Number.NaN;
  };
  const chain = (left: number, least: number, depth: number): number => {
    let value = left;
    for (let sign = list[at]; typeof sign === "string"; sign = list[at]) {
      const priority = PRIORITY[sign] ?? 0;
      if (priority < least) break;
      at += 1;
      // A power binds to the right: 2^3^2 is 2^9.
      const right = chain(one(depth + 1), sign === "^" ? priority : priority + 1, depth + 1);
      value = apply(sign, value, right);
    }
    return value;
  };
  const value = chain(one(0), 1, 0);
  return at === list.length && Number.isFinite(value) ? value : null;
}

/** The nearest number between the limits, whole or not. */
export function between(value: number, { min, max, whole }: Limits): number {
  const least = min ?? (whole ? Number.MIN_SAFE_INTEGER : Number.NEGATIVE_INFINITY);
  const most = max ?? (whole ? Number.MAX_SAFE_INTEGER : Number.POSITIVE_INFINITY);
  return Math.min(most, Math.max(least, value));
}

/** The nearest value that the limits allow. */
export const clampTo = (value: number, limits: Limits): number =>
  between(limits.whole ? Math.round(value) : value, limits);

/** What an arrow key adds: what is declared, else one for whole numbers, else what suits the size. */
export function stepOf({ min, max, step, whole }: Limits, value: number): number {
  if (step !== null && step > 0) return step;
  if (whole) return 1;
  const size = min !== null && max !== null && max > min ? max - min : Math.abs(value) || 1;
  return Math.min(1, 10 ** Math.floor(Math.log10(size) - 1));
}

/** A sum without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
export const tidy = (value: number): number =>
  Number.isSafeInteger(value) ? value : Number.parseFloat(value.toPrecision(12));

/** A number as it is shown: exact, and no longer than it must be. */
export const formatNumber = (value: number): string => String(tidy(value));
