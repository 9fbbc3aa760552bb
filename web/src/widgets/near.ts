/** Names that are like another: what a file that is not there may have been called. */

/** The words of a name in small letters, without its folders and its ending. */
function words(name: string): string[] {
  const base = name.slice(name.lastIndexOf("/") + 1).replace(/\.[a-z\d]{1,12}$/i, "");
  return base.toLowerCase().match(/[a-z]+|\d+/g) ?? [];
}

function pairs(name: string): Map<string, number> {
  const text = words(name).join("");
  const found = new Map<string, number>();
  for (let at = 0; at < text.length - 1; at += 1) {
    const pair = text.slice(at, at + 2);
    found.set(pair, (found.get(pair) ?? 0) + 1);
  }
  return found;
}

/** 0..1: how many pairs of letters two names share. */
function likeness(one: string, other: string): number {
  const [a, b] = [pairs(one), pairs(other)];
  let shared = 0;
  let all = 0;
  for (const [pair, count] of a) {
    shared += Math.min(count, b.get(pair) ?? 0);
    all += count;
  }
  for (const count of b.values()) all += count;
  return all === 0 ? 0 : (2 * shared) / all;
}

/** Up to `most` of the names that are like one, the likest first. */
export function nearNames(name: string, names: readonly string[], most = 5): readonly string[] {
  const rated = names.map((other) => ({ other, like: likeness(name, other) }));
  return rated
    .filter(({ like }) => like > 0.45)
    .sort((a, b) => b.like - a.like)
    .slice(0, most)
    .map(({ other }) => other);
}
