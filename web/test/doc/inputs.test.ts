import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  linkJson,
  literal,
  placesOf,
  readInput,
  wireEnd,
  wireKey,
  wiresFrom,
  wiresOf,
} from "../../src/doc/inputs";
import { flow, node } from "./toys";

describe("what an input means", () => {
  test("an object with a node is a link", () => {
    expect(readInput({ node: "a", output: "x" })).toEqual({
      kind: "link",
      link: { node: "a", output: "x" },
    });
    expect(readInput({ node: "a", value: 3 })).toMatchObject({ kind: "link" });
  });

  test("a list of links is several links, an empty list is a literal", () => {
    expect(readInput([{ node: "a" }, { node: "b" }])).toMatchObject({ kind: "links" });
    expect(readInput([])).toEqual({ kind: "value", value: [] });
  });

  test("a literal that is an object is wrapped, and read back", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(readInput(literal(value as never))).toEqual({ kind: "value", value });
      }),
    );
  });

  test("a link without an output says none", () => {
    expect(linkJson({ node: "a", output: "" })).toEqual({ node: "a" });
  });
});

describe("names of wires", () => {
  test("hold any text and are read back", () => {
    const part = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(part, part, fc.option(fc.nat(20)), (id, input, index) => {
        const end = { node: id, input, index };
        expect(wireEnd(wireKey(end))).toEqual(end);
      }),
    );
  });

  test("differ for different ends", () => {
    expect(wireKey({ node: "a", input: "b/1", index: null })).not.toBe(
      wireKey({ node: "a", input: "b", index: 1 }),
    );
  });
});

describe("wires of a graph", () => {
  const graph = flow({
    nodes: {
      one: node("number"),
      sum: node("add", { a: { node: "one" }, b: 2 }),
      all: node("join", { parts: [{ node: "one" }, { node: "sum" }] }),
    },
  });

  test("are named by where they end", () => {
    expect(wiresOf(graph).map((wire) => wire.key)).toEqual(["sum/a", "all/parts/0", "all/parts/1"]);
  });

  test("are listed once for a graph", () => {
    expect(wiresOf(graph)).toBe(wiresOf({ ...graph, outputs: {} }));
  });

  test("are found by their source", () => {
    expect(wiresFrom(graph).get("one")).toHaveLength(2);
    expect(wiresFrom(graph).get("all")).toBeUndefined();
  });
});

test("an exposed input feeds one place or several", () => {
  const place = { node: "a", input: "b" };
  expect(placesOf(place)).toEqual([place]);
  expect(placesOf([place, place])).toHaveLength(2);
});
