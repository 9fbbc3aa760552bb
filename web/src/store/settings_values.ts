/** Settings: what people set in the editor, and how what was kept is read. */

import type { JsonObject } from "../doc/types";
import { isObject } from "./merge";

export interface Settings {
  readonly theme: "system" | "dark" | "light";
  /** Whether things glide, or jump. */
  readonly motion: "system" | "full" | "reduced";
  /** Whether nodes keep to a grid while they are moved. */
  readonly snap: boolean;
  readonly grid: boolean;
  readonly minimap: boolean;
  /** What the wheel does; `auto` pans with a trackpad and zooms with a mouse. */
  readonly wheel: "auto" | "zoom" | "pan";
  /** What a drag over nothing does. */
  readonly drag: "pan" | "select";
  /** Shortcuts that were changed, by command; an empty one has been taken away. */
  readonly keys: Readonly<Record<string, string>>;
  /** Types of nodes. */
  readonly favourites: readonly string[];
  /** Packs whose part in the editor is loaded; the server reads this too. */
  readonly extensions: readonly string[];
  /** Sizes of panels in pixels. */
  readonly panels: Readonly<Record<string, number>>;
  /** Whether pictures of unfinished work are shown. */
  readonly previews: boolean;
  /** How many jobs are handed in at once. */
  readonly batch: number;
  /** Whether the browser tells when a job is over while the page is not seen. */
  readonly notify: boolean;
}

export const DEFAULTS: Settings = {
  theme: "system",
  motion: "system",
  snap: true,
  grid: true,
  minimap: true,
  wheel: "auto",
  drag: "select",
  keys: {},
  favourites: [],
  extensions: [],
  panels: {},
  previews: true,
  batch: 1,
  notify: false,
};

/** What a value must be; the sentence continues "'snap' is 3, but must be ...". */
interface Rule {
  readonly what: string;
  readonly holds: (value: unknown) => boolean;
}

const yesOrNo: Rule = { what: "true or false", holds: (value) => typeof value === "boolean" };

const oneOf = (...words: readonly string[]): Rule => ({
  what: `one of ${words.map((word) => `"${word}"`).join(", ")}`,
  holds: (value) => typeof value === "string" && words.includes(value),
});

const between = (low: number, high: number): Rule => ({
  what: `a whole number from ${low} to ${high}`,
  holds: (value) => Number.isInteger(value) && Number(value) >= low && Number(value) <= high,
});

const texts: Rule = {
  what: "a list of texts",
  holds: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
};

const record = (type: "string" | "number", what: string): Rule => ({
  what: `an object of ${what}`,
  holds: (value) => isObject(value) && Object.values(value).every((one) => typeof one === type),
});

export const MOST_BATCH = 1000;

const RULES: Readonly<Record<keyof Settings, Rule>> = {
  theme: oneOf("system", "dark", "light"),
  motion: oneOf("system", "full", "reduced"),
  snap: yesOrNo,
  grid: yesOrNo,
  minimap: yesOrNo,
  wheel: oneOf("auto", "zoom", "pan"),
  drag: oneOf("pan", "select"),
  keys: record("string", "shortcuts by command"),
  favourites: texts,
  extensions: texts,
  panels: record("number", "sizes by panel"),
  previews: yesOrNo,
  batch: between(1, MOST_BATCH),
  notify: yesOrNo,
};

/** The settings that an object has; instead of what is wrong in it stands the default. */
export function readSettings(kept: JsonObject): {
  readonly values: Settings;
  readonly faults: readonly string[];
} {
  const given: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, rule] of Object.entries(RULES)) {
    if (!Object.hasOwn(kept, name)) continue;
    if (rule.holds(kept[name])) given[name] = kept[name];
    else faults.push(`'${name}' is ${shown(kept[name])}, but must be ${rule.what}.`);
  }
  return { values: { ...DEFAULTS, ...(given as Partial<Settings>) }, faults };
}

/** What is wrong with a text that is to be taken as settings, or the object that it holds. */
export function parseSettings(text: string): JsonObject | readonly string[] {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [`This is no JSON: ${reason}.`];
  }
  if (!isObject(object)) return ['Settings are one JSON object, such as {"theme": "dark"}.'];
  const unknown = Object.keys(object).filter((name) => !Object.hasOwn(RULES, name));
  const faults = unknown.map((name) => `There is no setting '${name}'.`);
  faults.push(...readSettings(object).faults);
  return faults.length > 0 ? faults : object;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
