/** Frames: boxes with a title around things, which move what lies in them. */

import { boxesOf, boxOf, centreOf, holds, itemsOf } from "./boxes";
import { editLayouts, freshName, setMode, withLayout } from "./edits";
import { around, type Box } from "./geometry";
import type { Library } from "./library";
import {
  type Frame,
  type Graph,
  type Item,
  idOf,
  idsOf,
  kindOf,
  type Mode,
  own,
  type Point,
  type Workflow,
} from "./types";

/** Room between a frame and what it holds; above it also the title. */
const MARGIN = 30;
const TITLE = 40;

/** Put a frame around things; nothing happens around none. */
export function frameAround(
  graph: Graph,
  items: Iterable<Item>,
  workflow: Workflow,
  library: Library,
  title = "",
): { readonly graph: Graph; readonly id: string | null } {
  const box = around(boxesOf(items, graph, workflow, library).values());
  if (!box) return { graph, id: null };
  return addFrame(graph, { ...framing(box), title });
}

/** Place and size of a frame around a box. */
const framing = (box: Box): { readonly at: Point; readonly size: Point } => ({
  at: [box.x - MARGIN, box.y - MARGIN - TITLE],
  size: [box.width + 2 * MARGIN, box.height + 2 * MARGIN + TITLE],
});

function addFrame(graph: Graph, frame: Frame): { readonly graph: Graph; readonly id: string } {
  const id = freshName("frame", graph.layout.frames ?? {});
  return { graph: withFrames(graph, { ...graph.layout.frames, [id]: frame }), id };
}

const withFrames = (graph: Graph, frames: Readonly<Record<string, Frame>>): Graph =>
  withLayout(graph, { frames });

/** Title, colour, size or pin of a frame. */
export function editFrame(graph: Graph, id: string, part: Partial<Frame>): Graph {
  const frame = own(graph.layout.frames, id);
  if (!frame) return graph;
  return withFrames(graph, { ...graph.layout.frames, [id]: { ...frame, ...part } });
}

/** What lies in a frame: all whose centre is in it. Of frames only smaller ones, so none holds itself. */
export function inside(
  graph: Graph,
  frameId: string,
  workflow: Workflow,
  library: Library,
): Item[] {
  const key: Item = `f:${frameId}`;
  const outer = boxOf(key, graph, workflow, library);
  if (!outer) return [];
  const found: Item[] = [];
  for (const [other, box] of boxesOf(itemsOf(graph), graph, workflow, library)) {
    const smaller = kindOf(other) !== "f" || area(box) < area(outer);
    if (other !== key && smaller && holds(outer, centreOf(box))) found.push(other);
  }
  return found;
}

const area = (box: Box): number => box.width * box.height;

/** Where a thing lies; null for wires and what is gone. A node without a place lies at the origin. */
export function placeOf(graph: Graph, key: Item): Point | null {
  const id = idOf(key);
  const { nodes, frames, notes, reroutes } = graph.layout;
  switch (kindOf(key)) {
    case "n":
      return own(graph.nodes, id) ? (own(nodes, id)?.at ?? [0, 0]) : null;
    case "f":
      return own(frames, id)?.at ?? null;
    case "t":
      return own(notes, id)?.at ?? null;
    case "r":
      return own(reroutes, id)?.at ?? null;
    default:
      return null;
  }
}

/** Whether a thing stays where it is when others are moved. */
export const isPinned = (graph: Graph, key: Item): boolean => partOf(graph, key)?.pinned === true;

/** Pin things, or let them move again. */
export const setPinned = (graph: Graph, items: Iterable<Item>, pinned: boolean): Graph =>
  editParts(
    graph,
    items,
    <T extends Part>({ pinned: _, ...rest }: T) => (pinned ? { ...rest, pinned } : rest) as T,
  );

/** Give nodes, frames and notes another colour, or with null the usual one. */
export const setColour = (graph: Graph, items: Iterable<Item>, colour: string | null): Graph =>
  editParts(
    graph,
    items,
    <T extends Part>({ colour: _, ...rest }: T) =>
      (colour === null ? rest : { ...rest, colour }) as T,
  );

/** The colour that a thing was given; null for the usual one. */
export const colourOf = (graph: Graph, key: Item): string | null =>
  partOf(graph, key)?.colour ?? null;

/** What the layouts of nodes, frames and notes have in common. */
interface Part {
  readonly pinned?: boolean;
  readonly colour?: string;
}

function partOf({ layout }: Graph, key: Item): Part | undefined {
  const parts = { n: layout.nodes, f: layout.frames, t: layout.notes, r: undefined, w: undefined };
  return own<Part>(parts[kindOf(key)], idOf(key));
}

function editParts(
  graph: Graph,
  items: Iterable<Item>,
  change: <T extends Part>(part: T) => T,
): Graph {
  const all = [...items];
  let next = editLayouts(graph, idsOf(all, "n"), change);
  for (const [kind, name] of [
    ["f", "frames"],
    ["t", "notes"],
  ] as const) {
    const parts: Record<string, Part> = { ...next.layout[name] };
    const ids = idsOf(all, kind).filter((id) => Object.hasOwn(parts, id));
    for (const id of ids) parts[id] = change(parts[id] ?? {});
    // Frames and notes differ in what else they hold, which stays as it is.
    if (ids.length > 0) next = withLayout(next, { [name]: parts });
  }
  return next;
}

/** Bypass or mute all nodes that lie in a frame, or with null let them run. */
export function setFrameMode(
  graph: Graph,
  id: string,
  mode: Mode | null,
  workflow: Workflow,
  library: Library,
): Graph {
  return setMode(graph, idsOf(inside(graph, id, workflow, library), "n"), mode);
}
