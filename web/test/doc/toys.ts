/** A small library of nodes, and documents made of them, for the tests of `doc/`. */

import fc from "fast-check";
import { connect } from "../../src/doc/edits";
import { loops } from "../../src/doc/joins";
import { type Library, makeLibrary } from "../../src/doc/library";
import { EMPTY_WORKFLOW, type Graph, type NodeEntry, type Workflow } from "../../src/doc/types";
import type { InputSpec, NodeSpec, OutputSpec } from "../../src/gen/nodes";

export const port = (name: string, type: string, more: Partial<InputSpec> = {}): InputSpec => ({
  name,
  type,
  required: false,
  default: null,
  json_schema: null,
  file: null,
  lazy: false,
  grows: false,
  optional: false,
  description: "",
  widget: null,
  widget_options: {},
  was: [],
  ...more,
});

export const out = (name: string, type: string, more: Partial<OutputSpec> = {}): OutputSpec => ({
  name,
  type,
  description: "",
  was: [],
  ...more,
});

export const spec = (
  id: string,
  inputs: InputSpec[],
  outputs: OutputSpec[],
  more: Partial<NodeSpec> = {},
): NodeSpec => ({
  id,
  pack: id.split(".")[0] ?? "",
  function: id.split(".")[1] ?? "",
  module: "",
  line: 0,
  title: id.split(".")[1] ?? "",
  category: "toys",
  description: "",
  identity: "",
  on: "cpu",
  cache: "auto",
  end: outputs.length === 0,
  is_async: false,
  deprecated: "",
  was: [],
  check: null,
  facts: null,
  inputs,
  outputs,
  services: {},
  ...more,
});

export const NUMBER = { type: "number" };
const SEED = { type: "integer", minimum: 0, maximum: 2 ** 53 - 1 };

export const SPECS: readonly NodeSpec[] = [
  spec(
    "toy.number",
    [port("value", "float", { json_schema: NUMBER, default: 1 })],
    [out("number", "float")],
  ),
  spec(
    "toy.add",
    [
      port("a", "float", { json_schema: NUMBER, required: true, was: ["left"] }),
      port("b", "float", { json_schema: NUMBER, default: 0 }),
    ],
    [out("sum", "float", { was: ["total"] })],
    { title: "Add numbers", description: "The sum of two numbers.", was: ["toy.plus"] },
  ),
  spec("toy.split", [port("value", "float")], [out("whole", "float"), out("rest", "float")]),
  spec("toy.join", [port("parts", "float", { grows: true })], [out("all", "float")]),
  spec(
    "toy.range",
    [port("count", "int", { json_schema: { type: "integer" }, default: 3 })],
    [out("numbers", "list[int]")],
  ),
  spec("toy.same", [port("value", "~T", { json_schema: {} })], [out("value", "~T")]),
  spec(
    "toy.words",
    [port("text", "str", { json_schema: { type: "string" }, default: "" })],
    [out("text", "str")],
  ),
  spec(
    "toy.sample",
    [
      port("model", "Model", { required: true }),
      port("seed", "int", { json_schema: SEED, default: 0, widget: "seed" }),
    ],
    [out("image", "Image")],
    { title: "Sample", category: "toys/pictures" },
  ),
  spec("toy.model", [], [out("model", "Model")]),
  spec("toy.blur", [port("image", "Image", { required: true })], [out("image", "Image")]),
  spec("toy.save", [port("image", "Image", { required: true })], []),
];

export const LIBRARY: Library = makeLibrary(
  Object.fromEntries(SPECS.map((one) => [one.id, one])),
  {},
);

export const node = (type: string, inputs: NodeEntry["inputs"] = {}): NodeEntry => ({
  type: `toy.${type}`,
  inputs,
});

export const flow = (parts: Partial<Workflow>): Workflow => ({ ...EMPTY_WORKFLOW, ...parts });

/** Node ids by the number of what follows. */
const TYPES = ["number", "add", "split", "join"] as const;

/** A graph of toys without loops, with literals, wires, kept literals and reroutes. */
export const graphs: fc.Arbitrary<Graph> = fc
  .record({
    types: fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 8 }),
    wires: fc.array(
      fc.record({ from: fc.nat(7), to: fc.nat(7), input: fc.nat(1), bent: fc.boolean() }),
      { maxLength: 14 },
    ),
    literals: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 8 }),
  })
  .map(({ types, wires, literals }) => {
    const nodes: Record<string, NodeEntry> = {};
    const layouts: Record<string, { at: [number, number] }> = {};
    for (const [index, type] of types.entries()) {
      const literal = literals[index] ?? 0;
      const inputs = type === "number" ? { value: literal } : type === "add" ? { a: literal } : {};
      nodes[`${type}${index}`] = node(type, inputs);
      layouts[`${type}${index}`] = { at: [300 * index, 40 * (literals[7 - index] ?? 0)] };
    }
    const ids = Object.keys(nodes);
    let graph: Graph = { nodes, inputs: {}, outputs: {}, layout: { nodes: layouts } };
    for (const [count, { from, to, input, bent }] of wires.entries()) {
      const [source, target] = [ids[from % ids.length], ids[to % ids.length]];
      if (source && target && !loops(graph, source, target)) {
        graph = wired(graph, source, target, input, bent ? `r${count}` : null);
      }
    }
    return graph;
  });

function wired(
  graph: Graph,
  from: string,
  to: string,
  input: number,
  reroute: string | null,
): Graph {
  const names = { number: ["value"], add: ["a", "b"], split: ["value"], join: ["parts"] };
  const kind = to.replace(/\d+$/, "") as keyof typeof names;
  const name = names[kind][input % names[kind].length] ?? "";
  const source = from.startsWith("split")
    ? { node: from, output: input ? "whole" : "rest" }
    : { node: from };
  const bent: Graph = reroute
    ? {
        ...graph,
        layout: {
          ...graph.layout,
          reroutes: { ...graph.layout.reroutes, [reroute]: { at: [0, 0] } },
        },
      }
    : graph;
  const end = { node: to, input: name, index: null, grows: kind === "join" };
  return connect(bent, source, end, reroute ? [reroute] : []);
}

/** What must hold in every graph that edits make. */
export function faults(graph: Graph): string[] {
  const found: string[] = [];
  const { layout, nodes } = graph;
  for (const [id, entry] of Object.entries(nodes)) {
    for (const raw of Object.values(entry.inputs ?? {})) {
      for (const link of [raw].flat() as { node?: string }[]) {
        if (link && typeof link === "object" && link.node !== undefined && !nodes[link.node]) {
          found.push(`${id} is wired to ${link.node}, which is gone`);
        }
      }
    }
  }
  const used = new Set(Object.values(layout.wires ?? {}).flat());
  for (const id of Object.keys(layout.reroutes ?? {})) {
    if (!used.has(id)) found.push(`no wire passes ${id}`);
  }
  for (const id of used) if (!layout.reroutes?.[id]) found.push(`${id} is no reroute`);
  for (const id of Object.keys(layout.nodes ?? {})) {
    if (!nodes[id]) found.push(`${id} has a place but is gone`);
  }
  return found;
}
