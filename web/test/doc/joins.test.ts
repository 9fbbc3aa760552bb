import { describe, expect, test } from "vitest";
import { connect } from "../../src/doc/edits";
import { joinOf, joins, loops, outputType, refuse } from "../../src/doc/joins";
import table from "../tables/joins.json";
import { flow, LIBRARY, node } from "./toys";

test("every pair of types joins as Python says", () => {
  const wrong = table.filter(([from, to, how]) => joinOf(from ?? "", to ?? "") !== how);
  expect(wrong).toEqual([]);
  expect(table.every(([from, to, how]) => joins(from ?? "", to ?? "") === (how !== null))).toBe(
    true,
  );
});

const graph = flow({
  nodes: {
    range: node("range"),
    same: node("same", { value: { node: "range" } }),
    words: node("words"),
    again: node("same", { value: "text" }),
    sum: node("add", { a: { node: "same" } }),
    all: node("join", { parts: [{ node: "range" }] }),
    free: node("same"),
  },
});
const typeOf = (id: string) => outputType({ node: id }, graph, graph, LIBRARY);

describe("the type that an output really has", () => {
  test("is what enters, for a variable", () => {
    expect(typeOf("again")).toBe("str");
    expect(typeOf("free")).toBe("any");
  });

  test("is a list, if the node runs once for each item", () => {
    expect(typeOf("same")).toBe("list[int]");
    expect(typeOf("sum")).toBe("list[float]");
    expect(typeOf("all")).toBe("float");
  });

  test("is any for what is gone, and in a loop", () => {
    expect(typeOf("gone")).toBe("any");
    const ring = flow({ nodes: { a: node("same", { value: { node: "a" } }) } });
    expect(outputType({ node: "a" }, ring, ring, LIBRARY)).toBe("any");
  });

  test("is found along the longest of chains", () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [
        `n${index}`,
        node("same", index ? { value: { node: `n${index - 1}` } } : { value: 1 }),
      ]),
    );
    const chain = flow({ nodes });
    expect(["any", "int"]).toContain(outputType({ node: "n2999" }, chain, chain, LIBRARY));
  });
});

describe("a wire is refused", () => {
  const why = (from: string, node: string, input: string) =>
    refuse(graph, graph, LIBRARY, { node: from }, { node, input });

  test("if the types do not fit, with a sentence", () => {
    expect(why("words", "sum", "b")).toBe("str does not fit float.");
    expect(why("range", "sum", "b")).toBeNull();
  });

  test("if it would close a loop", () => {
    expect(why("sum", "same", "value")).toBe("That would make a loop.");
    expect(loops(graph, "sum", "range")).toBe(true);
    expect(loops(graph, "range", "sum")).toBe(false);
  });

  test("if an end is gone", () => {
    expect(why("gone", "sum", "a")).toBe("That node is gone.");
    expect(why("range", "constructor", "a")).toBe("That node is gone.");
  });

  test("not if it takes the place of the value that bound the variable", () => {
    expect(why("words", "same", "value")).toBeNull();
  });
});

test("a loop that an edit made is seen at once", () => {
  const start = flow({ nodes: { a: node("same"), b: node("same") } });
  expect(loops(start, "b", "a")).toBe(false);
  const next = connect(start, { node: "a" }, { node: "b", input: "value", index: null });
  expect(loops(next, "b", "a")).toBe(true);
});
