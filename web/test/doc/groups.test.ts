import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unusedGroups, wouldRecurse } from "../../src/doc/calls";
import { placeOf } from "../../src/doc/frames";
import {
  cannotUnpack,
  countCalls,
  dropUnusedGroups,
  duplicateGroup,
  groupOfItsOwn,
  makeGroup,
  renameGroup,
  unpackGroup,
} from "../../src/doc/groups";
import { sameGraph } from "../../src/doc/parse";
import { graphAt } from "../../src/doc/scope";
import { titleOf } from "../../src/doc/titles";
import { type Graph, idsOf, type Workflow } from "../../src/doc/types";
import { flat, renamed, withExposedValue } from "./flat";
import { faults, flow, graphs, LIBRARY, node } from "./toys";

/** Graphs that expose some of their inputs and outputs. */
const documents = fc
  .tuple(graphs, fc.array(fc.tuple(fc.nat(9), fc.nat(3)), { maxLength: 6 }))
  .map(([graph, shown]): Workflow => {
    const ids = Object.keys(graph.nodes);
    const inputs: Record<string, { node: string; input: string }[]> = {};
    const outputs: Record<string, { node: string; output?: string }> = {};
    for (const [which, name] of shown) {
      const id = ids[which % ids.length] ?? "";
      const kind = id.replace(/\d+$/, "");
      const input =
        kind === "add" ? (which % 2 ? "left" : "b") : kind === "join" ? "parts" : "value";
      if (kind !== "join") {
        inputs[`in${name}`] = [...(inputs[`in${name}`] ?? []), { node: id, input }];
      }
      outputs[`out${name}`] = kind === "split" ? { node: id, output: "rest" } : { node: id };
    }
    // An input under its earlier name is another place for the editor, and the same for the engine.
    for (const places of Object.values(inputs)) {
      for (const place of places) if (place.input === "left") place.input = "a";
    }
    return { ...flow(graph), inputs, outputs };
  });
const some = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
const chosen = (workflow: Graph, which: readonly boolean[]) =>
  Object.keys(workflow.nodes).filter((_, index) => which[index]);

const computes = (workflow: Workflow, rename = (id: string) => id) => [
  renamed(flat(workflow), rename),
  ...Object.keys(workflow.inputs).map((name) =>
    renamed(flat(withExposedValue(workflow, name, 999)), rename),
  ),
];

describe("a group of any nodes", () => {
  test("computes what the nodes computed, whatever value is given from outside", () => {
    fc.assert(
      fc.property(documents, some, (workflow, which) => {
        const { workflow: made, call } = makeGroup(
          workflow,
          [],
          chosen(workflow, which),
          "G",
          LIBRARY,
        );
        const strip = (id: string) => (id.startsWith(`${call}/`) ? id.slice(call.length + 1) : id);
        expect(computes(made, strip)).toEqual(computes(workflow));
        expect(faults(made)).toEqual([]);
        for (const group of Object.values(made.groups)) expect(faults(group)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("that is unpacked is the graph that it was made of, in its places", () => {
    fc.assert(
      fc.property(documents, some, (workflow, which) => {
        const ids = chosen(workflow, which);
        const made = makeGroup(workflow, [], ids, "G", LIBRARY);
        const back = unpackGroup(made.workflow, [], made.call, LIBRARY);
        expect(computes(back.workflow)).toEqual(computes(workflow));
        expect(faults(back.workflow)).toEqual([]);
        expect(back.workflow.groups).toEqual({});
        for (const id of Object.keys(workflow.nodes)) {
          expect(placeOf(back.workflow, `n:${id}`)).toEqual(placeOf(workflow, `n:${id}`));
        }
        expect(idsOf(back.items, "n").sort()).toEqual(ids.sort());
      }),
      { numRuns: 300 },
    );
  });

  test("in a group computes the same too", () => {
    fc.assert(
      fc.property(documents, some, some, (workflow, outer, inner) => {
        const first = makeGroup(workflow, [], chosen(workflow, outer), "Outer", LIBRARY);
        if (first.call === "") return;
        const group = graphAt(first.workflow, [first.call]);
        const second = makeGroup(
          first.workflow,
          [first.call],
          chosen(group, inner),
          "Inner",
          LIBRARY,
        );
        const strip = (id: string) => id.split("/").at(-1) ?? "";
        expect(computes(second.workflow, strip)).toEqual(computes(workflow));
        const back = unpackGroup(second.workflow, [], first.call, LIBRARY);
        expect(computes(back.workflow, strip)).toEqual(computes(workflow));
      }),
    );
  });
});

describe("unpacking", () => {
  const names = ["x", "y", "z"] as const;
  const calls = fc.record({
    group: documents,
    places: fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(7)), { maxLength: 6 }),
    given: fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.nat(9), fc.constant("link"))),
    mode: fc.constantFrom(null, "bypass", "mute"),
    inner: fc.constantFrom(null, "bypass", "mute"),
    shown: fc.subarray([...names]),
  });

  test("puts in what the call gives, as the engine does", () => {
    fc.assert(
      fc.property(calls, ({ group, places, given, mode, inner, shown }) => {
        const inputs: Record<string, { node: string; input: string }[]> = {};
        const ids = Object.keys(group.nodes);
        for (const [name, which] of places) {
          const id = ids[which % ids.length] ?? "";
          const input = id.startsWith("add") ? (which % 2 ? "left" : "b") : "value";
          if (!id.startsWith("join")) inputs[name] = [...(inputs[name] ?? []), { node: id, input }];
        }
        const [first = ""] = ids;
        const nodes = {
          ...group.nodes,
          [first]: { ...node("number"), mode: inner },
        } as Graph["nodes"];
        const raws = Object.entries(given)
          .filter(([name]) => name in inputs)
          .map(([name, raw]) => [name, raw === "link" ? { node: "source" } : raw]);
        const workflow = flow({
          nodes: {
            source: node("number"),
            call: { type: "group:g", inputs: Object.fromEntries(raws), ...(mode && { mode }) },
            taker: node("add", { a: { node: "call", output: "out0" }, b: 2 }),
          } as Workflow["nodes"],
          groups: { g: { ...group, nodes, inputs } },
          inputs: Object.fromEntries(
            shown
              .filter((name) => name in inputs)
              .map((name) => [name, { node: "call", input: name }]),
          ),
          outputs: { o: { node: "call", output: "out1" } },
        });
        const back = unpackGroup(workflow, [], "call", LIBRARY);
        const fresh = idsOf(back.items, "n");
        const rename = (id: string) => {
          const at = fresh.indexOf(id);
          return at < 0 ? id : `call/${ids[at]}`;
        };
        const [before, after] = [flat(workflow), renamed(flat(back.workflow), rename)];
        expect(after.nodes).toEqual(withoutLost(before.nodes));
        expect(faults(back.workflow)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  /** A link to an output that the group lacks is a fault; it is pulled. */
  const withoutLost = (nodes: ReturnType<typeof flat>["nodes"]) => {
    const taker = nodes.taker;
    const inputs = taker?.inputs as Record<string, unknown> | undefined;
    if (!taker || inputs?.a !== "nothing") return nodes;
    return { ...nodes, taker: { ...taker, inputs: { b: 2 } } };
  };

  const group: Graph = {
    nodes: { n: node("add", { a: 5 }) },
    inputs: { x: { node: "n", input: "a" } },
    outputs: { y: { node: "n" } },
    layout: { nodes: { n: { at: [0, 0] } } },
  };
  const call = { type: "group:g", inputs: { x: { node: "one" } } };

  test("keeps the inner literal for the day that the wire is pulled", () => {
    const workflow = flow({ nodes: { one: node("number"), call }, groups: { g: group } });
    const back = unpackGroup(workflow, [], "call", LIBRARY).workflow;
    expect(back.layout.nodes?.n?.kept).toEqual({ a: 5 });
  });

  test("leaves a group that others call, and makes its ids fresh", () => {
    const nodes = { one: node("number"), n: node("number"), call, other: { type: "group:g" } };
    const workflow = flow({ nodes, groups: { g: group } });
    const back = unpackGroup(workflow, [], "call", LIBRARY);
    expect(back.items).toEqual(["n:n_2"]);
    expect(back.workflow.groups.g).toBe(group);
  });

  test("is refused with a sentence, and changes nothing", () => {
    const repeats = { ...call, repeat: { times: 2 } };
    const nodes = { repeats, gone: { type: "group:gone" }, n: node("number") };
    const workflow = flow({ nodes, groups: { g: group } });
    for (const id of ["repeats", "gone", "n", "nobody"]) {
      expect(cannotUnpack(workflow, [], id)).toMatch(/\.$/);
      expect(unpackGroup(workflow, [], id, LIBRARY)).toEqual({ workflow, items: [] });
    }
  });
});

describe("what a group takes along", () => {
  const workflow = flow({
    nodes: {
      one: node("number"),
      a: node("add", { a: { node: "one" }, b: { node: "one" } }),
      b: node("split", { value: { node: "a" } }),
      end: node("split", { value: { node: "b", output: "rest" } }),
    },
    layout: {
      nodes: {
        one: { at: [0, 0] },
        a: { at: [400, 0], kept: { a: 7 } },
        b: { at: [800, 0], title: "B" },
        end: { at: [1200, 0] },
      },
      frames: {
        inner: { at: [370, -70], size: [720, 300], title: "In" },
        outer: { at: [-50, -100], size: [2000, 600], title: "Out" },
      },
      notes: {
        in: { at: [500, 150], size: [50, 50], text: "" },
        out: { at: [0, 900], size: [9, 9], text: "" },
      },
      reroutes: { into: { at: [300, 50] }, inside: { at: [700, 50] }, off: { at: [1100, 50] } },
      wires: { "a/a": ["into"], "b/value": ["inside"], "end/value": ["off"] },
    },
  });
  const made = makeGroup(workflow, [], ["a", "b"], "My group", LIBRARY);
  const group = made.workflow.groups["My group"];

  test("are frames and notes among its nodes, and reroutes of its own wires", () => {
    expect(Object.keys(group?.layout.frames ?? {})).toEqual(["inner"]);
    expect(Object.keys(group?.layout.notes ?? {})).toEqual(["in"]);
    expect(group?.layout.wires).toEqual({ "b/value": ["inside"] });
    expect(Object.keys(made.workflow.layout.frames ?? {})).toEqual(["outer"]);
    expect(Object.keys(made.workflow.layout.notes ?? {})).toEqual(["out"]);
    expect(made.workflow.layout.wires).toEqual({ "My_group/a": ["into"], "end/value": ["off"] });
  });

  test("is one input for one source, and the literals that wires had replaced", () => {
    expect(group?.inputs).toEqual({
      a: [
        { node: "a", input: "a" },
        { node: "a", input: "b" },
      ],
    });
    expect(group?.nodes.a?.inputs).toEqual({ a: 7 });
    expect(group?.outputs).toEqual({ rest: { node: "b", output: "rest" } });
    expect(made.workflow.nodes.My_group?.inputs).toEqual({ a: { node: "one" } });
  });

  test("comes back when it is unpacked", () => {
    const back = unpackGroup(made.workflow, [], made.call, LIBRARY).workflow;
    expect(back.layout.frames).toEqual(workflow.layout.frames);
    expect(back.layout.notes).toEqual(workflow.layout.notes);
    expect(back.layout.nodes?.b).toEqual(workflow.layout.nodes?.b);
    expect(back.layout.wires).toMatchObject({ "b/value": ["inside"], "end/value": ["off"] });
  });

  test("is nothing, if there are no nodes", () => {
    expect(makeGroup(workflow, [], ["gone"], "G", LIBRARY)).toEqual({ workflow, call: "" });
  });
});

test("a list of links from inside and outside goes through the call as a whole", () => {
  const workflow = flow({
    nodes: {
      one: node("number"),
      two: node("number"),
      all: node("join", { parts: [{ node: "two" }, { node: "one" }, { node: "two" }] }),
    },
  });
  const { workflow: made, call } = makeGroup(workflow, [], ["two", "all"], "G", LIBRARY);
  const two = { node: call, output: "number" };
  expect(made.nodes[call]?.inputs).toEqual({ parts: [two, { node: "one" }, two] });
});

describe("names of groups", () => {
  const inner: Graph = { nodes: { n: node("number") }, inputs: {}, outputs: {}, layout: {} };
  const outer = { ...inner, nodes: { call: { type: "group:inner" } } };
  const workflow = flow({
    nodes: { call: { type: "group:outer" } },
    groups: { inner, outer, unused: outer },
  });

  test("change in all calls", () => {
    const next = renameGroup(workflow, "inner", "a new / name");
    expect(next.groups.outer?.nodes.call?.type).toBe("group:a new / name");
    expect(next.groups.unused?.nodes.call?.type).toBe("group:a new / name");
    expect(next.groups["a new / name"]).toBe(inner);
    expect(sameGraph(renameGroup(next, "a new / name", "inner"), workflow)).toBe(true);
  });

  test("stay if the new one is taken or empty", () => {
    expect(renameGroup(workflow, "inner", "outer")).toBe(workflow);
    expect(renameGroup(workflow, "inner", " ")).toBe(workflow);
    expect(renameGroup(workflow, "gone", "x")).toBe(workflow);
  });

  test("of copies are counted on", () => {
    const once = duplicateGroup(workflow, "inner");
    expect(once.name).toBe("inner 2");
    expect(duplicateGroup(once.workflow, "inner 2").name).toBe("inner 3");
  });

  test("of one call are its own afterwards, and other calls keep theirs", () => {
    const nodes = { ...workflow.nodes, other: { type: "group:outer" } };
    const own = groupOfItsOwn({ ...workflow, nodes }, [], "other");
    expect(own.name).toBe("outer 2");
    expect(own.workflow.nodes.other?.type).toBe("group:outer 2");
    expect(own.workflow.nodes.call?.type).toBe("group:outer");
    expect(own.workflow.groups["outer 2"]).toEqual(outer);
    const titles = ["call", "other"].map((id) => titleOf(id, own.workflow, own.workflow, LIBRARY));
    expect(titles).toEqual(["outer", "outer 2"]);
    const within = groupOfItsOwn(workflow, ["call"], "call").workflow;
    expect(within.groups.outer?.nodes.call?.type).toBe("group:inner 2");
    expect(within.groups.unused?.nodes.call?.type).toBe("group:inner");
    const plain = flow({ nodes: { n: node("number") } });
    expect(groupOfItsOwn(plain, [], "n").workflow).toBe(plain);
  });

  test("are counted by their calls, in groups too", () => {
    expect(Object.fromEntries(countCalls(workflow))).toEqual({ inner: 2, outer: 1, unused: 0 });
  });

  test("that nothing calls are known, and can be left out", () => {
    expect(unusedGroups(workflow)).toEqual(["unused"]);
    expect(Object.keys(dropUnusedGroups(workflow).groups)).toEqual(["inner", "outer"]);
    expect(dropUnusedGroups(dropUnusedGroups(workflow))).toEqual(dropUnusedGroups(workflow));
  });

  test("that lead back to themselves are known", () => {
    expect(wouldRecurse(workflow, "outer", "inner")).toBe(true);
    expect(wouldRecurse(workflow, "inner", "outer")).toBe(false);
    expect(wouldRecurse(workflow, "inner", "inner")).toBe(true);
    expect(wouldRecurse(workflow, "inner", null)).toBe(false);
  });
});
