/** What an input of a document means: a link, several links, or a literal. */

import type { InputFace } from "./library";
import {
  type Graph,
  type InputPlace,
  type Json,
  type JsonObject,
  type LinkRef,
  type NodeEntry,
  own,
} from "./types";

export type Source =
  | { readonly kind: "link"; readonly link: LinkRef }
  | { readonly kind: "links"; readonly links: readonly LinkRef[] }
  | { readonly kind: "value"; readonly value: Json };

const isObject = (raw: Json | undefined): raw is JsonObject =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw);

const isLink = (raw: Json | undefined): raw is JsonObject & { readonly node: string } =>
  isObject(raw) &&
  typeof raw.node === "string" &&
  (raw.output === undefined || typeof raw.output === "string");

const link = (raw: JsonObject & { readonly node: string }): LinkRef =>
  typeof raw.output === "string" ? { node: raw.node, output: raw.output } : { node: raw.node };

/** The same reading as `nodeflow.workflow.read_input`; what is neither is shown as a literal. */
export function readInput(raw: Json): Source {
  if (isLink(raw)) return { kind: "link", link: link(raw) };
  if (Array.isArray(raw) && raw.length > 0 && raw.every(isLink)) {
    return { kind: "links", links: raw.map(link) };
  }
  if (isObject(raw) && "value" in raw) return { kind: "value", value: raw.value ?? null };
  return { kind: "value", value: raw };
}

/** Whether an input has a literal where its default would do. */
export function hasOwnValue(entry: NodeEntry, port: InputFace): boolean {
  const raw = own(entry.inputs, port.name);
  return raw !== undefined && !port.required && readInput(raw).kind === "value";
}

/** A literal as the document holds it: objects are wrapped, so that they are no links. */
export function literal(value: Json): Json {
  const wrap = isObject(value) || (Array.isArray(value) && value.some(isObject));
  return wrap ? { value } : value;
}

export const linkJson = (source: LinkRef): JsonObject =>
  source.output ? { node: source.node, output: source.output } : { node: source.node };

/** Where a wire ends; `index` counts the links of an input that grows. */
export interface WireEnd {
  readonly node: string;
  readonly input: string;
  readonly index: number | null;
}

/** A wire is named by where it ends, so no input can have two. */
export interface Wire {
  readonly key: string;
  readonly from: LinkRef;
  readonly to: WireEnd;
}

/** Groups may expose an input under any text, so what parts a key is written in another way. */
const encoded = (name: string): string =>
  name.includes("/") || name.includes("%")
    ? name.replaceAll("%", "%25").replaceAll("/", "%2F")
    : name;

const decoded = (part: string): string =>
  part.includes("%") ? part.replaceAll("%2F", "/").replaceAll("%25", "%") : part;

/** `node/input`, and `/index` behind it for a link of an input that grows. */
export const wireKey = (end: WireEnd): string => {
  const key = `${encoded(end.node)}/${encoded(end.input)}`;
  return end.index === null ? key : `${key}/${end.index}`;
};

/** The end that a key names. */
export function wireEnd(key: string): WireEnd {
  const [node = "", input = "", index] = key.split("/");
  return {
    node: decoded(node),
    input: decoded(input),
    index: index === undefined ? null : Number(index),
  };
}

const NO_INPUTS: Readonly<Record<string, Json>> = {};
const known = new WeakMap<object, { readonly node: string; readonly wires: readonly Wire[] }>();

/** The wires that end in one node. */
export function wiresInto(
  node: string,
  inputs: Readonly<Record<string, Json>> = NO_INPUTS,
): readonly Wire[] {
  const remembered = known.get(inputs);
  if (remembered?.node === node) return remembered.wires;
  const wires: Wire[] = [];
  for (const [input, raw] of Object.entries(inputs)) {
    const source = readInput(raw);
    if (source.kind === "link") {
      const to = { node, input, index: null };
      wires.push({ key: wireKey(to), from: source.link, to });
    } else if (source.kind === "links") {
      for (const [index, from] of source.links.entries()) {
        const to = { node, input, index };
        wires.push({ key: wireKey(to), from, to });
      }
    }
  }
  known.set(inputs, { node, wires });
  return wires;
}

const byNodes = new WeakMap<object, readonly Wire[]>();
const bySource = new WeakMap<object, ReadonlyMap<string, readonly Wire[]>>();

/** All wires of a graph. */
export function wiresOf(graph: Graph): readonly Wire[] {
  const remembered = byNodes.get(graph.nodes);
  if (remembered) return remembered;
  const wires = Object.entries(graph.nodes).flatMap(([id, entry]) => wiresInto(id, entry.inputs));
  byNodes.set(graph.nodes, wires);
  return wires;
}

/** The wires that leave each node, by its id. */
export function wiresFrom(graph: Graph): ReadonlyMap<string, readonly Wire[]> {
  const remembered = bySource.get(graph.nodes);
  if (remembered) return remembered;
  const found = new Map<string, Wire[]>();
  for (const wire of wiresOf(graph)) {
    const leaving = found.get(wire.from.node);
    if (leaving) leaving.push(wire);
    else found.set(wire.from.node, [wire]);
  }
  bySource.set(graph.nodes, found);
  return found;
}

/** The places that an exposed input feeds. */
export const placesOf = (places: InputPlace | readonly InputPlace[]): readonly InputPlace[] =>
  isPlaces(places) ? places : [places];

const isPlaces = (places: InputPlace | readonly InputPlace[]): places is readonly InputPlace[] =>
  Array.isArray(places);
