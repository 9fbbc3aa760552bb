/** Merge: two have changed the same JSON; what each of them changed is to stay. */

import type { Json, JsonObject } from "../doc/types";

/**
 * What comes of both changes. Where they meet, mine counts.
 *
 * Objects are merged key by key, lists of texts as sets; all else is one whole.
 *
 * @param base What both began with.
 */
export function merge(base: JsonObject, mine: JsonObject, theirs: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const merged = [...keys].flatMap((key): [string, Json][] => {
    const value = mergeValue(own(base, key), own(mine, key), own(theirs, key));
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(merged);
}

type Maybe = Json | undefined;

function mergeValue(base: Maybe, mine: Maybe, theirs: Maybe): Maybe {
  if (isSame(mine, base) || isSame(mine, theirs)) return theirs;
  if (isSame(theirs, base)) return mine;
  if (isObject(mine) && isObject(theirs)) return merge(isObject(base) ? base : {}, mine, theirs);
  if (isTexts(mine) && isTexts(theirs)) {
    const before = isTexts(base) ? base : [];
    const added = mine.filter((text) => !before.includes(text) && !theirs.includes(text));
    return [...theirs.filter((text) => mine.includes(text) || !before.includes(text)), ...added];
  }
  return mine;
}

const own = (record: JsonObject, key: string): Maybe =>
  Object.hasOwn(record, key) ? record[key] : undefined;

export function isSame(a: Maybe, b: Maybe): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one, at) => isSame(one, b[at]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTexts = (value: Maybe): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
