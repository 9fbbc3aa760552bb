/** Finding nodes: types to add, by a few letters, and nodes that are in the document. */

import type { NodeSpec } from "../gen/nodes";
import { readInput } from "./inputs";
import { faceOf, type Library, placeable } from "./library";
import { groupOf } from "./scope";
import { faceTitle } from "./titles";
import { type Graph, type Json, type NodeEntry, own, type Workflow } from "./types";

/** What can be searched for: a node type, or anything else that has a name. */
interface Named {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly was: readonly string[];
}

interface Words {
  readonly title: string;
  readonly names: readonly string[];
  readonly category: string;
  readonly description: string;
}

const known = new WeakMap<Named, Words>();

function wordsOf(named: Named): Words {
  const remembered = known.get(named);
  if (remembered) return remembered;
  const ids = [named.id, named.id.split(/[.:]/).at(-1) ?? "", ...named.was];
  const words = {
    title: named.title.toLowerCase(),
    names: ids.map(plain),
    category: named.category.toLowerCase(),
    description: named.description.toLowerCase().replace(/\s+/g, " "),
  };
  known.set(named, words);
  return words;
}

const plain = (text: string): string => text.toLowerCase().replace(/[_.]/g, " ");

/**
 * How well a text answers a query, both in small letters; 0 if it does not. The beginning is best,
 * then the beginning of a word, then letters in a row, then letters in their order.
 */
export function match(query: string, text: string): number {
  if (query === "") return 1;
  if (text.startsWith(query)) return text.length === query.length ? 100 : 90;
  const at = text.indexOf(query);
  if (at > 0) {
    const word = new RegExp(`[^\\p{L}\\p{N}]${escaped(query)}`, "u");
    return word.test(text) ? 75 : 50;
  }
  return inOrder(query.replaceAll(" ", ""), text);
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Letters in their order, each best at the beginning of a word: `ks` in `k sampler`. */
function inOrder(query: string, text: string): number {
  let [at, begun] = [0, 0];
  for (const letter of query) {
    const word = nextWord(letter, text, at);
    const place = word >= 0 ? word : text.indexOf(letter, at);
    if (place < 0) return 0;
    if (word >= 0) begun += 1;
    at = place + 1;
  }
  return 10 + Math.round((20 * begun) / Math.max(1, query.length));
}

/** Where the rest of the query may go on: at the next letter, or at a word that begins with it. */
function nextWord(letter: string, text: string, from: number): number {
  if (text[from] === letter) return from;
  const place = text.indexOf(` ${letter}`, Math.max(0, from - 1));
  return place < 0 ? -1 : place + 1;
}

function score(query: string, named: Named): number {
  const { title, names, category, description } = wordsOf(named);
  const best = Math.max(match(query, title), ...names.map((name) => match(query, name) * 0.9));
  const words = query.split(/\s+/).filter(Boolean);
  const everywhere = `${title} ${names.join(" ")} ${category} ${description}`;
  const all = words.every((word) => everywhere.includes(word)) ? 8 : 0;
  return Math.max(
    best,
    category.includes(query) ? 40 : 0,
    description.includes(query) ? 9 : 0,
    all,
  );
}

/** What answers a query, the best first; everything, in its order, to an empty one. */
export function searchAmong<T extends Named>(all: readonly T[], query: string, limit = 50): T[] {
  const wanted = plain(query.trim());
  if (wanted === "") return all.slice(0, limit);
  const found = all.map((named) => ({ named, points: score(wanted, named) }));
  return found
    .filter(({ points }) => points > 0)
    .sort(
      (a, b) =>
        b.points - a.points ||
        a.named.title.length - b.named.title.length ||
        a.named.title.localeCompare(b.named.title),
    )
    .slice(0, limit)
    .map(({ named }) => named);
}

/** The node types that people add, by how well they answer; to an empty query all, by title. */
export function searchNodes(
  library: Library,
  query: string,
  { limit = 50 }: { readonly limit?: number } = {},
): NodeSpec[] {
  return searchAmong(placeable(library), query, limit);
}

export interface Place {
  /** The group that the node stands in; null for the workflow itself. */
  readonly group: string | null;
  /** The calls that lead to it, from the outside in. */
  readonly scope: readonly string[];
  readonly node: string;
  readonly title: string;
  /** What of it answered: its title, its type, its id, or the input of this name. */
  readonly by: "title" | "type" | "id" | { readonly input: string };
}

/** Nodes of the document that a text names: by title, type, id, or by what an input says. */
export function findInGraph(workflow: Workflow, library: Library, query: string): Place[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return [];
  const found: Place[] = [];
  for (const { group, scope, graph } of scopes(workflow)) {
    for (const [node, entry] of Object.entries(graph.nodes)) {
      const face = faceOf(node, entry, graph, workflow, library);
      const title = faceTitle(face, own(graph.layout.nodes, node));
      const by = answers(wanted, node, title, face.title, entry);
      if (by) found.push({ group, scope, node, title, by });
    }
  }
  return found;
}

/** What of a node a text names; null if nothing. */
function answers(
  wanted: string,
  id: string,
  title: string,
  typeTitle: string,
  { type, inputs = {} }: NodeEntry,
): Place["by"] | null {
  const has = (text: string) => text.toLowerCase().includes(wanted);
  if (has(title)) return "title";
  if (has(id)) return "id";
  if (has(type) || has(typeTitle)) return "type";
  const input = Object.keys(inputs).find((name) => has(said(inputs[name] ?? null)));
  return input === undefined ? null : { input };
}

/** A literal as text; links say nothing. */
function said(raw: Json): string {
  const source = readInput(raw);
  if (source.kind !== "value") return "";
  return typeof source.value === "string" ? source.value : JSON.stringify(source.value);
}

interface Scoped {
  readonly group: string | null;
  readonly scope: readonly string[];
  readonly graph: Graph;
}

/** The workflow and every group that it calls, each once, by the shortest way to it. */
export function scopes(workflow: Workflow): Scoped[] {
  const found: Scoped[] = [{ group: null, scope: [], graph: workflow }];
  const seen = new Set<string>();
  // The list grows while it is walked, so that nearer groups come first.
  for (const { scope, graph } of found) {
    for (const [id, entry] of Object.entries(graph.nodes)) {
      const name = groupOf(entry.type);
      const inner = name === null ? undefined : own(workflow.groups, name);
      if (name === null || !inner || seen.has(name)) continue;
      seen.add(name);
      found.push({ group: name, scope: [...scope, id], graph: inner });
    }
  }
  return found;
}
