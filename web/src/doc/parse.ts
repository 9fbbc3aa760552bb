/** Documents that the server has read, as the editor holds them, and as the text that it saves. */

import {
  FORMAT,
  type Frame,
  type Graph,
  type Json,
  type JsonObject,
  type Layout,
  type NodeEntry,
  type Note,
  type Point,
  type Workflow,
} from "./types";

type Raw = Readonly<Record<string, unknown>>;

const isRecord = (data: unknown): data is Raw =>
  typeof data === "object" && data !== null && !Array.isArray(data);

const record = (data: unknown): Raw => (isRecord(data) ? data : {});

const isNumber = (data: unknown): data is number => Number.isFinite(data);

export const isPoint = (data: unknown): data is Point =>
  Array.isArray(data) && data.length === 2 && data.every(isNumber);

/**
 * A document that the server found to be one (`POST /api/read`), with every part there is. What is
 * below `layout` the server does not look at, so that is looked at here. Unknown keys stay.
 */
export function parseWorkflow(data: unknown): Workflow {
  const raw = record(data);
  const groups = Object.entries(record(raw.groups)).map(
    ([name, group]) => [name, parseGraph(record(group))] as const,
  );
  return {
    ...raw,
    nodeflow: isNumber(raw.nodeflow) ? raw.nodeflow : FORMAT,
    name: typeof raw.name === "string" ? raw.name : "",
    ...parseGraph(raw),
    groups: Object.fromEntries(groups),
  };
}

function parseGraph(raw: Raw): Graph {
  return {
    ...raw,
    // The server has seen to what these hold.
    nodes: record(raw.nodes) as Graph["nodes"],
    inputs: record(raw.inputs) as Graph["inputs"],
    outputs: record(raw.outputs) as Graph["outputs"],
    layout: parseLayout(record(raw.layout)),
  };
}

function parseLayout(raw: Raw): Layout {
  const layout: Record<string, unknown> = { ...raw };
  if ("nodes" in raw) layout.nodes = parts(raw.nodes);
  if ("frames" in raw) layout.frames = placed<Frame>(raw.frames, { title: "" });
  if ("notes" in raw) layout.notes = placed<Note>(raw.notes, { text: "" });
  if ("reroutes" in raw) {
    const known = Object.entries(parts(raw.reroutes)).filter(([, part]) => isPoint(part.at));
    layout.reroutes = Object.fromEntries(known);
  }
  if ("wires" in raw) layout.wires = lists(raw.wires);
  for (const name of ["inputs", "outputs"]) if (name in raw) layout[name] = texts(raw[name]);
  return layout as Layout;
}

/** The parts of a record by id; older files have lists, whose parts may say their ids. */
function parts(data: unknown): Record<string, Raw> {
  const pairs = Array.isArray(data)
    ? data.map((part, index): [string, unknown] => {
        const { id, ...rest } = record(part);
        return typeof id === "string" ? [id, rest] : [String(index + 1), part];
      })
    : Object.entries(record(data));
  return Object.fromEntries(pairs.filter((pair): pair is [string, Raw] => isRecord(pair[1])));
}

const SIZE: Point = [320, 200];

/** Frames or notes: each somewhere, with a size, and with its text. */
function placed<T extends { readonly at: Point; readonly size: Point }>(
  data: unknown,
  words: Raw,
): Readonly<Record<string, T>> {
  const entries = Object.entries(parts(data)).map(([id, part]) => {
    const at: Point = isPoint(part.at) ? part.at : [0, 0];
    const size: Point = isPoint(part.size) ? part.size : SIZE;
    return [id, { ...words, ...part, at, size } as unknown as T] as const;
  });
  return Object.fromEntries(entries);
}

const texts = (data: unknown): string[] =>
  Array.isArray(data) ? data.filter((part) => typeof part === "string") : [];

const lists = (data: unknown): Record<string, string[]> =>
  Object.fromEntries(Object.entries(record(data)).map(([key, via]) => [key, texts(via)]));

const FIRST = ["nodeflow", "name", "nodes", "inputs", "outputs", "groups", "layout"];

/**
 * The text that `Workflow.dumps()` of Python writes for the same document, so that a file which both
 * save differs only by what was changed.
 *
 * One difference stays: a whole number that Python holds as a float is `4.0` there and `4` here, as
 * JavaScript has no two kinds of numbers. Both are read as the same value.
 */
export function canonical(workflow: Workflow): string {
  const body = normal(workflow);
  const rest = Object.keys(body)
    .filter((key) => !FIRST.includes(key))
    .sort(byCodePoint);
  const lines = [...FIRST, ...rest].map(
    (key) => `  ${JSON.stringify(key)}: ${written(body[key] ?? null, "  ")}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** A document without what says nothing, and with what Python always writes. */
const normal = (workflow: Workflow): JsonObject => ({
  ...normalGraph(workflow),
  nodeflow: workflow.nodeflow,
  name: workflow.name,
  groups: mapped(workflow.groups, normalGraph),
});

const normalGraph = (graph: Graph): JsonObject => ({
  ...(graph as unknown as JsonObject),
  nodes: mapped(graph.nodes, normalNode),
  outputs: mapped(graph.outputs, (place) => ({ ...place, output: place.output ?? "" })),
});

const normalNodes = new WeakMap<NodeEntry, JsonObject>();

function normalNode(entry: NodeEntry): JsonObject {
  const known = normalNodes.get(entry);
  if (known) return known;
  const { mode, repeat, inputs, ...rest } = entry;
  const node: JsonObject = {
    ...rest,
    ...(mode && { mode }),
    ...(repeat && { repeat: normalRepeat(repeat) }),
    ...(inputs && Object.keys(inputs).length > 0 && { inputs }),
  };
  normalNodes.set(entry, node);
  return node;
}

function normalRepeat({ until, ...rest }: NonNullable<NodeEntry["repeat"]>): JsonObject {
  return { feed: {}, ...rest, ...(typeof until === "string" && { until }) };
}

const mapped = <T>(parts: Readonly<Record<string, T>>, change: (part: T) => JsonObject) =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, change(part)]));

/** As Python's `json.dumps(..., indent=2, sort_keys=True)`; `JSON.stringify` cannot order `"10"`. */
function written(value: Json, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  if (isList(value)) {
    if (value.length === 0) return "[]";
    const items = value.map((item) => `${deeper}${written(item, deeper)}`);
    return `[\n${items.join(",\n")}\n${indent}]`;
  }
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort(byCodePoint);
  if (keys.length === 0) return "{}";
  const lines = keys.map((key) => {
    return `${deeper}${JSON.stringify(key)}: ${written(value[key] ?? null, deeper)}`;
  });
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** Python's order of texts; JavaScript's own differs for what lies beyond 16 bits. */
function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  const left = [...a];
  const right = [...b];
  for (let index = 0; index < left.length && index < right.length; index += 1) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Whether two graphs are saved as the same text; quick where they share parts. */
export function sameGraph(a: Graph, b: Graph): boolean {
  return a === b || sameJson(normalGraph(a), normalGraph(b));
}

/** Whether two values say the same, whatever the order of their keys. */
function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  const left = a as JsonObject;
  const right = b as JsonObject;
  const keys = Object.keys(left).filter((key) => left[key] !== undefined);
  const others = Object.keys(right).filter((key) => right[key] !== undefined);
  return (
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]))
  );
}
