/** The weight of words in a prompt, `(word:1.1)`. */

interface Selected {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

const STEP = 0.1;
const WEIGHTED = /^\((.*):(-?\d+(?:\.\d+)?)\)$/s;

/** Give the selected words, or the word at the caret, a higher or lower weight; 1 takes it away. */
export function changeWeight(selected: Selected, up: boolean): Selected {
  const { text } = selected;
  const [from, to] = reach(selected);
  const piece = text.slice(from, to);
  if (piece.trim() === "") return selected;
  const [, inner = piece, weight = "1"] = WEIGHTED.exec(piece) ?? [];
  const next = Math.round((Number(weight) + (up ? STEP : -STEP)) * 100) / 100;
  const made = next === 1 ? inner : `(${inner}:${next})`;
  return { text: text.slice(0, from) + made + text.slice(to), from, to: from + made.length };
}

/** The selection without the spaces at its ends; the word, or all the brackets that it stands in. */
function reach({ text, from, to }: Selected): readonly [number, number] {
  let [start, end] = [from, to];
  if (start === end) {
    const around = bracketsAt(text, start);
    if (around) return around;
    while (start > 0 && !/[\s,()]/.test(text.charAt(start - 1))) start -= 1;
    while (end < text.length && !/[\s,()]/.test(text.charAt(end))) end += 1;
    return [start, end];
  }
  while (start < end && /\s/.test(text.charAt(start))) start += 1;
  while (end > start && /\s/.test(text.charAt(end - 1))) end -= 1;
  const before = text.slice(0, start);
  const after = /^:-?\d+(?:\.\d+)?\)/.exec(text.slice(end));
  return before.endsWith("(") && after ? [start - 1, end + after[0].length] : [start, end];
}

/** The innermost `(…:1.1)` around a place. */
function bracketsAt(text: string, at: number): readonly [number, number] | null {
  for (const match of text.matchAll(/\([^()]*:-?\d+(?:\.\d+)?\)/g)) {
    const end = match.index + match[0].length;
    if (match.index < at && at < end) return [match.index, end];
  }
  return null;
}
