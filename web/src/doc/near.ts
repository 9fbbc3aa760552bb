/** Names that somebody may have meant: those with the most pairs of letters in common. */

const pairs = (text: string): Map<string, number> => {
  const found = new Map<string, number>();
  const plain = text.toLowerCase();
  for (let at = 0; at < plain.length - 1; at += 1) {
    const pair = plain.slice(at, at + 2);
    found.set(pair, (found.get(pair) ?? 0) + 1);
  }
  return found;
};

/** How alike two texts are, from 0 to 1: Dice's coefficient over pairs of letters. */
export function likeness(a: string, b: string): number {
  const [one, two] = [pairs(a), pairs(b)];
  let shared = 0;
  for (const [pair, count] of one) shared += Math.min(count, two.get(pair) ?? 0);
  const all = a.length + b.length - 2;
  return all <= 0 ? Number(a === b) : (2 * shared) / all;
}

/** The names most like a text, the best first. */
export const nearest = (wanted: string, names: readonly string[], most = 5): string[] =>
  names
    .map((name) => ({ name, value: likeness(wanted, name) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, most)
    .map(({ name }) => name);
