/** Nodes and what lies around them as text, for the clipboard of the system, and back. */

import { freshText, reaches, withType } from "./calls";
import { freshName, withLayout } from "./edits";
import { linkJson, literal, readInput, wireEnd, wireKey, wiresOf } from "./inputs";
import { isPoint, parseWorkflow, sameGraph } from "./parse";
import { viaOf } from "./reroutes";
import { graphAt, groupAt, type Scope, withGraph } from "./scope";
import {
  EMPTY_GRAPH,
  GROUP_PREFIX,
  type Graph,
  type Item,
  idsOf,
  item,
  type Json,
  type Layout,
  type LinkRef,
  type NodeEntry,
  type NodeLayout,
  own,
  type Point,
  type Workflow,
} from "./types";

const MARK = "nodeflow-clipboard";
const VERSION = 1;

/** How far from the originals a copy lies that is not put anywhere. */
const BESIDE: Point = [40, 40];

/**
 * Some things of a graph as text: nodes with all their links, the groups that they call, frames,
 * notes, and the reroutes of wires between the nodes.
 */
export function copy(workflow: Workflow, scope: Scope, items: Iterable<Item>): string {
  const graph = graphAt(workflow, scope);
  const all = [...items];
  const nodes = picked(graph.nodes, idsOf(all, "n"));
  const wires: Record<string, readonly string[]> = {};
  for (const { key, from, to } of wiresOf(graph)) {
    const via = viaOf(graph, key);
    if (via.length > 0 && nodes[from.node] && nodes[to.node]) wires[key] = via;
  }
  const layout: Layout = {
    nodes: picked(graph.layout.nodes, Object.keys(nodes)),
    frames: picked(graph.layout.frames, idsOf(all, "f")),
    notes: picked(graph.layout.notes, idsOf(all, "t")),
    reroutes: picked(graph.layout.reroutes, Object.values(wires).flat()),
    wires,
  };
  const groups = picked(workflow.groups, reaches(workflow, nodes));
  return JSON.stringify({ [MARK]: VERSION, nodes, groups, layout });
}

const picked = <T>(record: Readonly<Record<string, T>> | undefined, names: Iterable<string>) => {
  const found: Record<string, T> = {};
  for (const name of names) {
    const part = own(record, name);
    if (part !== undefined) found[name] = part;
  }
  return found;
};

/** What a text of `copy` holds; null for any other text. */
function clip(text: string): Workflow | null {
  // Most texts that are pasted are no clip, and may be long.
  if (!text.startsWith("{") || !text.includes(MARK)) return null;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if ((data as Record<string, unknown>)[MARK] !== VERSION) return null;
  const { nodes, groups, layout } = parseWorkflow(data);
  const found = parseWorkflow({ nodes, groups, layout });
  const sound = [found, ...Object.values(found.groups)].every((graph) =>
    Object.values(graph.nodes).every(isEntry),
  );
  return sound ? { ...found, layout: placedOnly(found.layout) } : null;
}

/** A clip is text from anywhere: nodes that it puts nowhere lie at the origin. */
function placedOnly(layout: Layout): Layout {
  const placed = Object.entries(layout.nodes ?? {}).filter(([, part]) => isPoint(part.at));
  return { ...layout, nodes: Object.fromEntries(placed) };
}

const isEntry = (entry: unknown): boolean => {
  if (typeof entry !== "object" || entry === null) return false;
  const { type, inputs = {} } = entry as { type?: unknown; inputs?: unknown };
  return typeof type === "string" && typeof inputs === "object" && inputs !== null;
};

interface Pasted {
  readonly workflow: Workflow;
  /** What was pasted, to be selected. */
  readonly items: readonly Item[];
}

interface PasteOptions {
  /** Whether links to nodes that were not copied stay, where this graph has such a node. */
  readonly keepOuter: boolean;
}

/**
 * Put what was copied into a graph; null if the text is no copy.
 *
 * @param at Where its upper left corner is to lie; null means beside the originals.
 */
export function paste(
  workflow: Workflow,
  scope: Scope,
  text: string,
  at: Point | null,
  options: PasteOptions,
): Pasted | null {
  const found = clip(text);
  if (!found) return null;
  const corner = at && cornerOf(found.layout);
  const by: Point = at && corner ? [at[0] - corner[0], at[1] - corner[1]] : BESIDE;
  return put(workflow, scope, found, by, options);
}

/** Copy and paste in one, without the clipboard. */
export function duplicate(
  workflow: Workflow,
  scope: Scope,
  items: Iterable<Item>,
  offset: Point,
  keepOuter: boolean,
): Pasted {
  const found = clip(copy(workflow, scope, items));
  return found ? put(workflow, scope, found, offset, { keepOuter }) : { workflow, items: [] };
}

function cornerOf({ nodes, frames, notes }: Layout): Point | null {
  const parts: readonly { readonly at: Point }[] = [nodes, frames, notes].flatMap(
    (record): { readonly at: Point }[] => Object.values(record ?? {}),
  );
  if (parts.length === 0) return null;
  return [Math.min(...parts.map(({ at }) => at[0])), Math.min(...parts.map(({ at }) => at[1]))];
}

function put(
  workflow: Workflow,
  scope: Scope,
  found: Workflow,
  by: Point,
  { keepOuter }: PasteOptions,
): Pasted {
  const { groups, names } = adopt(workflow, found, groupAt(workflow, scope) ?? null);
  const graph = graphAt(workflow, scope);
  const ids = {
    nodes: freshIds(found.nodes, graph.nodes),
    frames: freshIds(found.layout.frames, graph.layout.frames),
    notes: freshIds(found.layout.notes, graph.layout.notes),
    reroutes: freshIds(found.layout.reroutes, graph.layout.reroutes),
  };
  const nodes: Record<string, NodeEntry> = { ...graph.nodes };
  const layouts: Record<string, NodeLayout> = { ...graph.layout.nodes };
  const wires: Record<string, readonly string[]> = { ...graph.layout.wires };
  const follow = (link: LinkRef): LinkRef | null => {
    const inner = ids.nodes.get(link.node);
    if (inner !== undefined) return { ...link, node: inner };
    return keepOuter && own(graph.nodes, link.node) ? link : null;
  };
  for (const [id, fresh] of ids.nodes) {
    const entry = found.nodes[id];
    if (!entry) continue;
    const copied = pastedNode(entry, own(found.layout.nodes, id), follow);
    nodes[fresh] = withType(copied.entry, names);
    const placed = copied.layout ?? { at: [0, 0] };
    layouts[fresh] = { ...placed, at: moved(placed.at, by) };
  }
  for (const [key, via] of Object.entries(found.layout.wires ?? {})) {
    const next = pastedKey(key, found, ids.nodes, follow);
    if (next) wires[next] = via.flatMap((id) => ids.reroutes.get(id) ?? []);
  }
  const next = withLayout(
    { ...graph, nodes },
    {
      ...(ids.nodes.size > 0 && { nodes: layouts }),
      ...(ids.frames.size > 0 && {
        frames: movedParts(graph.layout.frames, found.layout.frames, ids.frames, by),
      }),
      ...(ids.notes.size > 0 && {
        notes: movedParts(graph.layout.notes, found.layout.notes, ids.notes, by),
      }),
      ...(ids.reroutes.size > 0 && {
        reroutes: movedParts(graph.layout.reroutes, found.layout.reroutes, ids.reroutes, by),
        wires,
      }),
    },
  );
  const items = [
    ...[...ids.nodes.values()].map((id) => item("n", id)),
    ...[...ids.frames.values()].map((id) => item("f", id)),
    ...[...ids.notes.values()].map((id) => item("t", id)),
  ];
  return { workflow: withGraph({ ...workflow, groups }, scope, next), items };
}

/** Ids that are free in a graph, by the ids in the clip; `sample_2` becomes `sample_3`. */
function freshIds(found: object | undefined, taken: object | undefined): Map<string, string> {
  const ids = new Map<string, string>();
  const all: Record<string, unknown> = { ...taken };
  for (const id of Object.keys(found ?? {})) {
    const fresh = Object.hasOwn(all, id) ? freshName(id.replace(/_\d+$/, ""), all) : id;
    all[fresh] = true;
    ids.set(id, fresh);
  }
  return ids;
}

const moved = ([x, y]: Point, [dx, dy]: Point): Point => [x + dx, y + dy];

function movedParts<T extends { readonly at: Point }>(
  here: Readonly<Record<string, T>> | undefined,
  found: Readonly<Record<string, T>> | undefined,
  ids: ReadonlyMap<string, string>,
  by: Point,
): Readonly<Record<string, T>> {
  const parts: Record<string, T> = { ...here };
  for (const [id, fresh] of ids) {
    const part = own(found, id);
    if (part) parts[fresh] = { ...part, at: moved(part.at, by) };
  }
  return parts;
}

/** A node whose links are followed; where one is lost, the literal that it had replaced is back. */
function pastedNode(
  entry: NodeEntry,
  layout: NodeLayout | undefined,
  follow: (link: LinkRef) => LinkRef | null,
): { readonly entry: NodeEntry; readonly layout: NodeLayout | undefined } {
  const inputs: [string, Json][] = [];
  const kept: Record<string, Json> = { ...layout?.kept };
  for (const [name, raw] of Object.entries(entry.inputs ?? {})) {
    const source = readInput(raw);
    if (source.kind === "value") inputs.push([name, raw]);
    else if (source.kind === "links") {
      const links = source.links.map(follow).filter((link) => link !== null);
      if (links.length > 0) inputs.push([name, links.map(linkJson)]);
    } else {
      const link = follow(source.link);
      const back = own(kept, name);
      if (link) inputs.push([name, linkJson(link)]);
      else if (back !== undefined) {
        inputs.push([name, literal(back)]);
        delete kept[name];
      }
    }
  }
  const next = entry.inputs ? { ...entry, inputs: Object.fromEntries(inputs) } : entry;
  if (!layout?.kept) return { entry: next, layout };
  const { kept: _, ...rest } = layout;
  return { entry: next, layout: Object.keys(kept).length > 0 ? { ...rest, kept } : rest };
}

/** The key of a pasted wire: links before it in a list may have been lost. */
function pastedKey(
  key: string,
  found: Workflow,
  ids: ReadonlyMap<string, string>,
  follow: (link: LinkRef) => LinkRef | null,
): string | null {
  const { node, input, index } = wireEnd(key);
  const fresh = ids.get(node);
  if (fresh === undefined) return null;
  if (index === null) return wireKey({ node: fresh, input, index });
  const source = readInput(own(own(found.nodes, node)?.inputs, input) ?? null);
  if (source.kind !== "links") return null;
  const place = source.links.slice(0, index).filter((link) => follow(link) !== null).length;
  return wireKey({ node: fresh, input, index: place });
}

/**
 * The groups of a document with those of a clip. One of the same name but of other content gets a
 * fresh name, and so does one that would contain itself where it is pasted.
 */
function adopt(
  workflow: Workflow,
  found: Workflow,
  into: string | null,
): { readonly groups: Workflow["groups"]; readonly names: ReadonlyMap<string, string> } {
  const names = new Map<string, string>();
  const groups: Record<string, Graph> = { ...workflow.groups };
  const changed = new Set<string>();
  for (const [name, graph] of Object.entries(found.groups)) {
    const here = own(workflow.groups, name);
    const ring = into !== null && reaches(found, callTo(name)).has(into);
    if (ring || (here && !sameGraph(here, graph))) changed.add(name);
  }
  // A group that calls one with a new name is another group too.
  for (const name of Object.keys(found.groups)) {
    const inner = reaches(found, callTo(name));
    if (own(workflow.groups, name) && [...inner].some((one) => changed.has(one))) changed.add(name);
  }
  for (const name of changed) {
    const fresh = freshText(name, { ...groups, ...found.groups });
    names.set(name, fresh);
    groups[fresh] = EMPTY_GRAPH;
  }
  for (const [name, graph] of Object.entries(found.groups)) {
    if (!changed.has(name) && own(workflow.groups, name)) continue;
    const entries = Object.entries(graph.nodes).map(([id, entry]) => [id, withType(entry, names)]);
    groups[names.get(name) ?? name] = { ...graph, nodes: Object.fromEntries(entries) };
  }
  return { groups, names };
}

const callTo = (group: string): Graph["nodes"] => ({ call: { type: `${GROUP_PREFIX}${group}` } });
