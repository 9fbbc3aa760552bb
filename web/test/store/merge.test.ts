import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/doc/types";
import { isSame, merge } from "../../src/store/merge";

const object = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.jsonValue(),
) as fc.Arbitrary<JsonObject>;

describe("a merge", () => {
  it("has what each has changed", () => {
    const base = {
      theme: "dark",
      keys: { run: "F5", find: "F3" },
      list: ["a", "b", "c"],
      batch: 1,
    };
    const mine = {
      ...base,
      theme: "light",
      keys: { run: "F6", find: "F3" },
      list: ["b", "c", "d"],
    };
    const theirs = { ...base, keys: { run: "F5", undo: "F9" }, list: ["a", "b", "e"], more: 5 };
    expect(merge(base, mine, theirs)).toEqual({
      theme: "light",
      keys: { run: "F6", undo: "F9" },
      list: ["b", "e", "d"],
      batch: 1,
      more: 5,
    });
  });

  it("takes mine where both have changed the same", () => {
    expect(merge({ a: 1 }, { a: 2 }, { a: 3 })).toEqual({ a: 2 });
    expect(merge({ a: 1 }, {}, { a: 3 })).toEqual({});
  });

  it("of one who has changed nothing is what the other has", () => {
    fc.assert(
      fc.property(object, object, (base, changed) => {
        expect(isSame(merge(base, base, changed), changed)).toBe(true);
        expect(isSame(merge(base, changed, base), changed)).toBe(true);
        expect(isSame(merge(base, changed, changed), changed)).toBe(true);
      }),
    );
  });
});
