import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copy, duplicate, paste } from "../../src/doc/clipboard";
import { canonical, sameGraph } from "../../src/doc/parse";
import { EMPTY_WORKFLOW, type Item, idsOf, item, type Workflow } from "../../src/doc/types";
import { faults, flow, graphs, node } from "./toys";

const all = (workflow: Workflow): Item[] => Object.keys(workflow.nodes).map((id) => item("n", id));

const chain = flow({
  nodes: {
    one: node("number", { value: 2 }),
    sum: node("add", { a: { node: "one" }, b: 1 }),
    all: node("join", { parts: [{ node: "one" }, { node: "sum" }, { node: "one" }] }),
  },
  layout: {
    nodes: { one: { at: [0, 10] }, sum: { at: [300, 0], kept: { a: 7 } }, all: { at: [600, 0] } },
    reroutes: { bend: { at: [450, 50] } },
    wires: { "all/parts/1": ["bend"] },
    frames: { frame: { at: [-30, -30], size: [900, 400], title: "All" } },
    notes: { note: { at: [0, 300], size: [100, 80], text: "Hm" } },
  },
});

describe("a copy", () => {
  test("that is pasted into nothing is what was copied", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const workflow = flow(graph);
        const text = copy(workflow, [], all(workflow));
        const pasted = paste(EMPTY_WORKFLOW, [], text, null, { keepOuter: false });
        const back = duplicateless(pasted?.workflow, workflow);
        expect(sameGraph(back, { ...workflow, layout: withEmpty(workflow) })).toBe(true);
      }),
    );
  });

  test("has wires among its own nodes, and the literal back where a wire is lost", () => {
    const { workflow, items } = duplicate(chain, [], ["n:sum", "n:all"], [0, 100], false);
    expect(items).toEqual(["n:sum_2", "n:all_2"]);
    expect(workflow.nodes.sum_2?.inputs).toEqual({ a: 7, b: 1 });
    expect(workflow.layout.nodes?.sum_2).toEqual({ at: [300, 100] });
    expect(workflow.nodes.all_2?.inputs).toEqual({ parts: [{ node: "sum_2" }] });
    expect(workflow.layout.wires?.["all_2/parts/0"]).toEqual(["bend_2"]);
  });

  test("keeps outer wires if that is asked for and their source is there", () => {
    const { workflow } = duplicate(chain, [], ["n:sum"], [0, 100], true);
    expect(workflow.nodes.sum_2?.inputs).toEqual({ a: { node: "one" }, b: 1 });
    const text = copy(chain, [], ["n:sum"]);
    const elsewhere = paste(EMPTY_WORKFLOW, [], text, null, { keepOuter: true });
    expect(elsewhere?.workflow.nodes.sum?.inputs).toEqual({ a: 7, b: 1 });
  });

  test("lies with its corner where it is put, frames and notes too", () => {
    const text = copy(chain, [], [...all(chain), "f:frame", "t:note"]);
    const { layout } =
      paste(EMPTY_WORKFLOW, [], text, [70, 70], { keepOuter: false })?.workflow ?? chain;
    expect(layout.frames?.frame?.at).toEqual([70, 70]);
    expect(layout.nodes?.one?.at).toEqual([100, 110]);
    expect(layout.notes?.note?.at).toEqual([100, 400]);
  });

  test("of a copy counts on", () => {
    const once = duplicate(chain, [], ["n:one"], [0, 0], false).workflow;
    expect(duplicate(once, [], ["n:one_2"], [0, 0], false).items).toEqual(["n:one_3"]);
  });

  test("adds nothing to a layout that it has nothing of", () => {
    const { workflow } = duplicate(
      flow({ nodes: { one: node("number") } }),
      [],
      ["n:one"],
      [0, 0],
      true,
    );
    expect(Object.keys(workflow.layout)).toEqual(["nodes"]);
  });

  test("never breaks a graph that it is pasted into", () => {
    fc.assert(
      fc.property(graphs, graphs, fc.boolean(), (here, there, keepOuter) => {
        const source = flow(there);
        const picked = all(source).filter((_, index) => index % 3 !== 1);
        const pasted = paste(flow(here), [], copy(source, [], picked), [5, 5], { keepOuter });
        expect(faults(pasted?.workflow ?? flow({}))).toEqual([]);
        expect(idsOf(pasted?.items ?? [], "n")).toHaveLength(picked.length);
      }),
    );
  });
});

/** An empty layout record says as much as none. */
const withEmpty = ({ layout }: Workflow) =>
  Object.fromEntries(Object.entries(layout).filter(([, part]) => Object.keys(part).length > 0));

/** What was pasted beside, moved back to where it was copied. */
const duplicateless = (pasted: Workflow | undefined, original: Workflow): Workflow => {
  const back = ([x = 0, y = 0]: readonly number[]) => [x - 40, y - 40] as const;
  const layout = Object.fromEntries(
    Object.entries(withEmpty(pasted ?? original)).map(([name, parts]) => [
      name,
      name === "nodes" || name === "reroutes"
        ? Object.fromEntries(
            Object.entries(parts as Record<string, { at: readonly number[] }>).map(([id, part]) => [
              id,
              { ...part, at: back(part.at) },
            ]),
          )
        : parts,
    ]),
  );
  return { ...(pasted ?? original), layout };
};

describe("a copy of calls", () => {
  const inner = { nodes: { n: node("number") }, inputs: {}, outputs: {}, layout: {} };
  const outer = { ...inner, nodes: { call: { type: "group:inner" } } };
  const calls = flow({ nodes: { call: { type: "group:outer" } }, groups: { inner, outer } });
  const text = copy(calls, [], ["n:call"]);

  test("brings the groups along, and theirs", () => {
    const pasted = paste(EMPTY_WORKFLOW, [], text, null, { keepOuter: false });
    expect(Object.keys(pasted?.workflow.groups ?? {}).sort()).toEqual(["inner", "outer"]);
  });

  test("shares groups that are the same", () => {
    const pasted = paste(calls, [], text, null, { keepOuter: false });
    expect(Object.keys(pasted?.workflow.groups ?? {})).toHaveLength(2);
    expect(pasted?.workflow.nodes.call_2?.type).toBe("group:outer");
  });

  test("gives groups another name that differ, and those that call them", () => {
    const other = flow({ groups: { inner: { ...inner, nodes: { n: node("words") } }, outer } });
    const { workflow } = paste(other, [], text, null, { keepOuter: false }) ?? { workflow: other };
    expect(workflow.nodes.call?.type).toBe("group:outer 2");
    expect(workflow.groups["outer 2"]?.nodes.call?.type).toBe("group:inner 2");
    expect(workflow.groups["inner 2"]).toEqual(inner);
    expect(workflow.groups.inner).toBe(other.groups.inner);
  });

  test("into the group itself makes another group of it", () => {
    const pasted = paste(calls, ["call"], text, null, { keepOuter: false });
    expect(pasted?.workflow.groups.outer?.nodes.call_2?.type).toBe("group:outer 2");
    expect(pasted?.workflow.groups["outer 2"]?.nodes.call?.type).toBe("group:inner");
  });
});

test("other text is no copy", () => {
  const texts = [
    "",
    "hello",
    "{}",
    canonical(chain),
    '{"nodeflow-clipboard": 2}',
    '{"nodeflow-clipboard": 1, "nodes": {"a": 3}}',
    '{"nodeflow-clipboard": 1, "nodes": {"a": {"type": "x", "inputs": 3}}}',
    '{"nodeflow-clipboard": 1',
  ];
  for (const text of texts) expect(paste(chain, [], text, null, { keepOuter: true })).toBeNull();
});

test("a copy without places can be pasted", () => {
  const text =
    '{"nodeflow-clipboard": 1, "nodes": {"a": {"type": "x"}}, "layout": {"nodes": {"a": {}}}}';
  const pasted = paste(EMPTY_WORKFLOW, [], text, [3, 4], { keepOuter: false });
  expect(pasted?.items).toEqual(["n:a"]);
});
