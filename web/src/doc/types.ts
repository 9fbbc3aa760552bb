/**
 * The document, as the engine reads it, with the layout that only the editor knows.
 *
 * A document is never changed: every edit gives a new one that shares what stayed the same.
 * Unknown keys survive, so every part may hold more than is named here.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };
export type Point = readonly [x: number, y: number];

/** An input that takes another node's output; without a name its only one. */
export interface LinkRef {
  readonly node: string;
  readonly output?: string;
}

export type Mode = "bypass" | "mute";

interface Repeat {
  readonly times: number;
  readonly until?: string | null;
  readonly feed?: Readonly<Record<string, string>>;
}

export interface NodeEntry {
  readonly type: string;
  /** Links, lists of links, and literals; see `readInput`. */
  readonly inputs?: Readonly<Record<string, Json>>;
  readonly mode?: Mode | null;
  readonly repeat?: Repeat | null;
}

export interface InputPlace {
  readonly node: string;
  readonly input: string;
}

export interface OutputPlace {
  readonly node: string;
  readonly output?: string;
}

/** How the value of a seed changes before each run. */
export type SeedMode = "fixed" | "increment" | "random";

export interface NodeLayout {
  readonly at: Point;
  readonly width?: number;
  /** Heights of fields that were resized, by input. */
  readonly heights?: Readonly<Record<string, number>>;
  readonly title?: string;
  readonly colour?: string;
  readonly comment?: string;
  readonly collapsed?: boolean;
  readonly pinned?: boolean;
  /** Whether the node has room for its pictures, if not as its type has. */
  readonly pictures?: boolean;
  readonly seeds?: Readonly<Record<string, SeedMode>>;
  /** Literals that a wire has taken the place of; they come back when it is pulled. */
  readonly kept?: Readonly<Record<string, Json>>;
}

export interface Frame {
  readonly at: Point;
  readonly size: Point;
  readonly title: string;
  readonly colour?: string;
  readonly pinned?: boolean;
}

export interface Note {
  readonly at: Point;
  readonly size: Point;
  /** Markdown. */
  readonly text: string;
  readonly colour?: string;
  readonly pinned?: boolean;
}

export interface Reroute {
  readonly at: Point;
}

/** All that cannot change a result. */
export interface Layout {
  readonly nodes?: Readonly<Record<string, NodeLayout>>;
  readonly frames?: Readonly<Record<string, Frame>>;
  readonly notes?: Readonly<Record<string, Note>>;
  readonly reroutes?: Readonly<Record<string, Reroute>>;
  /** Reroutes that a wire passes, in order from its source, by `wireKey`. */
  readonly wires?: Readonly<Record<string, readonly string[]>>;
  /** Order of the exposed inputs, and of the exposed outputs. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

export interface Graph {
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  readonly inputs: Readonly<Record<string, InputPlace | readonly InputPlace[]>>;
  readonly outputs: Readonly<Record<string, OutputPlace>>;
  readonly layout: Layout;
}

export interface Workflow extends Graph {
  readonly nodeflow: number;
  readonly name: string;
  readonly description?: string;
  readonly groups: Readonly<Record<string, Graph>>;
}

export const GROUP_PREFIX = "group:";
export const FORMAT = 1;

export const EMPTY_GRAPH: Graph = { nodes: {}, inputs: {}, outputs: {}, layout: {} };
export const EMPTY_WORKFLOW: Workflow = { nodeflow: FORMAT, name: "", ...EMPTY_GRAPH, groups: {} };

/** What a record holds under a name that a document gives; never what every object inherits. */
export const own = <T>(
  record: Readonly<Record<string, T>> | undefined,
  name: string,
): T | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;

/** What can be selected, as one text: `n:ID` a node, `f:` a frame, `t:` a note, `r:` a reroute,
 * `w:` a wire (`wireKey`). */
export type Item = `${"n" | "f" | "t" | "r" | "w"}:${string}`;
type ItemKind = "n" | "f" | "t" | "r" | "w";

export const item = (kind: ItemKind, id: string): Item => `${kind}:${id}`;
export const kindOf = (key: Item): ItemKind => key.charAt(0) as ItemKind;
export const idOf = (key: Item): string => key.slice(2);

/** Ids of one kind among some items. */
export function idsOf(items: Iterable<Item>, kind: ItemKind): string[] {
  const found: string[] = [];
  for (const key of items) if (kindOf(key) === kind) found.push(idOf(key));
  return found;
}
