/** What lists are chosen from, and how they are searched. */

export interface Option {
  readonly value: string;
  readonly label: string;
  /** A few muted words after the label. */
  readonly hint?: string | undefined;
  /** A muted line below it: what is good to know before it is chosen. */
  readonly note?: string | undefined;
  /** Why it should not be chosen; it still can be. */
  readonly problem?: string | undefined;
  readonly disabled?: boolean | undefined;
}

/** All that is said of an option, a line for each thing. */
export const sayingsOf = ({ label, hint, note, problem }: Option): string =>
  [label, hint, note, problem].filter(Boolean).join("\n");

/** No more than so many are drawn; who looks for another types. */
export const SHOWN = 200;

/** The options that have all the words, those that begin with them first. */
export function search(options: readonly Option[], text: string): readonly Option[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const first = words[0];
  if (first === undefined) return options;
  const found = options.flatMap((option, index) => {
    const label = option.label.toLowerCase();
    if (!words.every((word) => label.includes(word))) return [];
    const at = label.indexOf(first);
    const begins = at === 0 || /[\s/_.-]/.test(label.charAt(at - 1));
    return [{ option, rank: at === 0 ? 0 : begins ? 1 : 2, index }];
  });
  found.sort((a, b) => a.rank - b.rank || a.index - b.index);
  return found.map(({ option }) => option);
}

/** Which option typed letters mean: the next after `from` that begins with them; -1 if none. */
export function typedTo(options: readonly Option[], typed: string, from: number): number {
  const letters = [...new Set(typed.toLowerCase())];
  // The same letter again and again walks through what begins with it.
  const text = letters.length === 1 ? (letters[0] ?? "") : typed.toLowerCase();
  const begin = typed.length > 1 && letters.length > 1 ? from : from + 1;
  for (let step = 0; step < options.length; step += 1) {
    const index = (Math.max(0, begin) + step) % options.length;
    const option = options[index];
    if (option && !option.disabled && option.label.toLowerCase().startsWith(text)) return index;
  }
  return -1;
}

/** Letters that are typed within a second belong together. */
export function makeTyping(): (letter: string, time: number) => string {
  let text = "";
  let last = 0;
  return (letter, time) => {
    text = time - last < 1000 ? text + letter : letter;
    last = time;
    return text;
  };
}
