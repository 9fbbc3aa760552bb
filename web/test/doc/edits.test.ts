import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addNode,
  connect,
  disconnect,
  disconnectAll,
  editLayouts,
  freshId,
  freshName,
  place,
  relink,
  remove,
  setInput,
  setMode,
} from "../../src/doc/edits";
import { begin, commit, undo } from "../../src/doc/history";
import { wiresOf } from "../../src/doc/inputs";
import { type Graph, type Item, item } from "../../src/doc/types";
import { faults, flow, graphs, node } from "./toys";

const pair = flow({ nodes: { one: node("number", { value: 3 }), sum: node("add", { a: 5 }) } });
const many = flow({
  nodes: {
    one: node("number"),
    two: node("number"),
    all: node("join", {
      parts: [{ node: "one" }, { node: "two" }, { node: "one" }, { node: "two" }],
    }),
  },
  layout: {
    reroutes: { first: { at: [0, 0] }, last: { at: [0, 0] } },
    wires: { "all/parts/0": ["first"], "all/parts/3": ["last"] },
  },
});

describe("names", () => {
  test("are made unique with a number", () => {
    expect(freshName("sample", { sample: 1, sample_2: 1 })).toBe("sample_3");
  });

  test("never hold what marks the insides of groups", () => {
    expect(freshId("group:a/b [2]", pair)).toBe("a_b_2_");
  });

  test("what every object inherits is not taken", () => {
    expect(freshName("constructor", {})).toBe("constructor");
  });
});

describe("a wire", () => {
  test("replaces a literal, which comes back when the wire is pulled", () => {
    const wired = connect(pair, { node: "one" }, { node: "sum", input: "a", index: null });
    expect(wired.nodes.sum?.inputs).toEqual({ a: { node: "one" } });
    const pulled = disconnect(wired, "sum/a");
    expect(pulled.nodes.sum?.inputs).toEqual({ a: 5 });
    expect(pulled.layout.nodes?.sum?.kept).toBeUndefined();
  });

  test("into an input that grows is one more, or takes the place of another", () => {
    const end = { node: "all", input: "parts" };
    const more = connect(many, { node: "one" }, { ...end, index: null });
    expect(wiresOf(more)).toHaveLength(5);
    const other = connect(many, { node: "two" }, { ...end, index: 0 });
    expect(wiresOf(other)).toHaveLength(4);
    expect(wiresOf(other)[0]?.from.node).toBe("two");
  });

  test("that was alone in an input that grows keeps its reroutes as the first", () => {
    const alone = flow({
      nodes: { ...many.nodes, all: node("join", { parts: { node: "one" } }) },
      layout: { reroutes: { bend: { at: [0, 0] } }, wires: { "all/parts": ["bend"] } },
    });
    const end = { node: "all", input: "parts", index: null, grows: true };
    const next = connect(alone, { node: "two" }, end);
    expect(next.layout.wires).toEqual({ "all/parts/0": ["bend"] });
  });

  test("that is pulled from among several leaves the reroutes of the others", () => {
    const next = disconnectAll(many, ["all/parts/0", "all/parts/1"]);
    expect(next.layout.wires).toEqual({ "all/parts/1": ["last"] });
    expect(Object.keys(next.layout.reroutes ?? {})).toEqual(["last"]);
  });

  test("that does not exist cannot be pulled", () => {
    expect(disconnect(many, "nobody/parts/0")).toBe(many);
  });
});

describe("removing", () => {
  test("a node and a wire of one growing input takes both, and no other", () => {
    const next = remove(many, ["w:all/parts/0", "n:two"]);
    expect(next.nodes.all?.inputs).toEqual({ parts: [{ node: "one" }] });
    expect(next.layout.reroutes).toEqual({});
  });

  test("a node gives the literals back that its wires replaced", () => {
    const wired = connect(pair, { node: "one" }, { node: "sum", input: "a", index: null });
    expect(remove(wired, ["n:one"]).nodes.sum?.inputs).toEqual({ a: 5 });
  });

  test("a node takes what was exposed of it along", () => {
    const shown: Graph = {
      ...pair,
      inputs: {
        x: [
          { node: "one", input: "value" },
          { node: "sum", input: "b" },
        ],
      },
      outputs: { y: { node: "one" } },
    };
    const next = remove(shown, ["n:one"]);
    expect(next.inputs).toEqual({ x: { node: "sum", input: "b" } });
    expect(next.outputs).toEqual({});
  });

  test("a thousand nodes of two thousand takes no time to speak of", () => {
    let graph: Graph = { ...flow({}) };
    const nodes: Record<string, ReturnType<typeof node>> = {};
    for (let index = 0; index < 2000; index += 1) {
      nodes[`n${index}`] = node("add", index ? { a: { node: `n${index - 1}` } } : {});
    }
    graph = { ...graph, nodes };
    const odd = Object.keys(nodes).filter((_, index) => index % 2);
    const before = performance.now();
    const next = remove(
      graph,
      odd.map((id) => item("n", id)),
    );
    expect(performance.now() - before).toBeLessThan(200);
    expect(wiresOf(next)).toHaveLength(0);
  });
});

describe("any edits", () => {
  type Step = { readonly kind: number; readonly a: number; readonly b: number };
  const step = fc.record({ kind: fc.nat(4), a: fc.nat(20), b: fc.nat(20) });

  function edited(graph: Graph, { kind, a, b }: Step): Graph {
    const ids = Object.keys(graph.nodes);
    const wires = wiresOf(graph);
    const [id, other] = [ids[a % ids.length] ?? "", ids[b % ids.length] ?? ""];
    const wire = wires[a % Math.max(1, wires.length)];
    if (kind === 0 && wire) return disconnect(graph, wire.key);
    if (kind === 1 && id)
      return remove(graph, [item("n", id), ...(wire ? [item("w", wire.key)] : [])]);
    if (kind === 2 && other) {
      const grows = other.startsWith("join");
      const input = grows ? "parts" : other.startsWith("add") ? "a" : "value";
      return connect(graph, { node: id }, { node: other, input, index: grows ? b : null, grows });
    }
    if (kind === 3) return setInput(graph, id, "a", b);
    const fresh = freshId("toy.add", graph);
    return addNode(graph, fresh, node("add"), { at: [a, b] });
  }

  test("keep every wire's ends, every reroute's wire, and every place's node", () => {
    fc.assert(
      fc.property(graphs, fc.array(step, { maxLength: 12 }), (graph, steps) => {
        expect(faults(graph)).toEqual([]);
        for (const one of steps) graph = edited(graph, one);
        expect(faults(graph)).toEqual([]);
        const keys = wiresOf(graph).map((wire) => wire.key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  test("are taken back by undo, to the very same document", () => {
    fc.assert(
      fc.property(graphs, fc.array(step, { minLength: 1, maxLength: 8 }), (graph, steps) => {
        const start = flow(graph);
        let history = begin(start);
        for (const [index, one] of steps.entries()) {
          const now = { ...history.now, ...edited(history.now, one) };
          history = commit(history, now, "", index);
        }
        for (const _ of steps) history = undo(history);
        expect(history.now).toBe(start);
      }),
    );
  });
});

describe("the rest", () => {
  test("things are placed, whatever their kind, and what is gone is not", () => {
    const at = [7, 8] as const;
    const places = new Map<Item, typeof at>([
      ["n:one", at],
      ["r:first", at],
      ["f:gone", at],
    ]);
    const next = place(many, places);
    expect(next.layout.nodes?.one?.at).toBe(at);
    expect(next.layout.reroutes?.first?.at).toBe(at);
    expect(next.layout.frames ?? {}).toEqual({});
  });

  test("an edit that changes nothing gives the same graph", () => {
    expect(editLayouts(pair, ["gone"], (layout) => ({ ...layout, pinned: true }))).toBe(pair);
    expect(setMode(pair, [], "mute")).toBe(pair);
  });

  test("a mode that is taken away leaves no key", () => {
    const muted = setMode(pair, ["one"], "mute");
    expect(muted.nodes.one?.mode).toBe("mute");
    expect(setMode(muted, ["one"], null).nodes.one).toEqual(pair.nodes.one);
  });

  test("links are renamed in lists too, and literals stay", () => {
    const inputs = { a: { node: "x", output: "o" }, b: [{ node: "x" }, { node: "y" }], c: 1 };
    const next = relink(inputs, (link) => (link.node === "x" ? null : { node: "z" }));
    expect(next).toEqual({ b: [{ node: "z" }], c: 1 });
  });
});
