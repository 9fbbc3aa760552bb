/**
 * Sizes and places of nodes and sockets, in pixels of the canvas at zoom 1.
 *
 * All follow from the document and the declarations, and nothing is measured: a node that is out of
 * sight costs nothing, and wires can be drawn, hit and tested without it. The style sheet of the
 * node card has the same numbers as variables, set from here.
 */

import { fieldHeight } from "./fields";
import { readInput } from "./inputs";
import type { Face, InputFace } from "./library";
import type { NodeEntry, NodeLayout, Point } from "./types";

export const HEADER = 34;
export const ROW = 24;
const PAD = 8;
export const WIDTH = 260;
export const MIN_WIDTH = 180;
export const MAX_WIDTH = 900;
/** Room for pictures: what was saved or shown, what a sampler previews, what goes on to other nodes. */
export const PICTURES = { none: 0, result: 200, preview: 150, value: 150 } as const;
export const REROUTE = 16;

export interface InputRow {
  readonly port: InputFace;
  /** Which link of a growing input; null for others. */
  readonly index: number | null;
  readonly top: number;
  readonly height: number;
  /** Distance of the socket's centre from the top of the node. */
  readonly socket: number;
  readonly linked: boolean;
}

interface OutputRow {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly top: number;
  readonly socket: number;
}

export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly inputs: readonly InputRow[];
  readonly outputs: readonly OutputRow[];
  /** Top of the room for pictures, if there is any. */
  readonly pictures: { readonly top: number; readonly height: number } | null;
  readonly collapsed: boolean;
}

type Known = { face: Face; layout: NodeLayout | undefined; geometry: Geometry };
const known = new WeakMap<NodeEntry, Known>();

/** The geometry of a node; the same object as long as nothing that matters has changed. */
export function geometry(entry: NodeEntry, face: Face, layout: NodeLayout | undefined): Geometry {
  const found = known.get(entry);
  if (found && found.face === face && sameSize(found.layout, layout)) return found.geometry;
  const made = measure(entry, face, layout);
  known.set(entry, { face, layout, geometry: made });
  return made;
}

const sameSize = (a: NodeLayout | undefined, b: NodeLayout | undefined): boolean =>
  a === b ||
  (a?.width === b?.width &&
    a?.heights === b?.heights &&
    a?.collapsed === b?.collapsed &&
    a?.pictures === b?.pictures);

/** Whether a node has room for pictures. Those between other nodes show theirs only on wish. */
export const showsPictures = (face: Face, layout: NodeLayout | undefined): boolean =>
  layout?.pictures ?? face.shows !== "value";

function measure(entry: NodeEntry, face: Face, layout: NodeLayout | undefined): Geometry {
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, layout?.width ?? WIDTH));
  const collapsed = layout?.collapsed === true;
  let top = HEADER;
  const outputs = face.outputs.map((port): OutputRow => {
    const row = { ...port, top, socket: collapsed ? HEADER / 2 : top + ROW / 2 };
    top += ROW;
    return row;
  });
  const inputs: InputRow[] = [];
  for (const port of face.inputs) {
    const raw = entry.inputs?.[port.name];
    const source = raw === undefined ? null : readInput(raw);
    const count = !port.grows ? 1 : linkCount(source) + 1;
    for (let index = 0; index < count; index += 1) {
      const height = port.grows ? ROW : fieldHeight(port, layout?.heights?.[port.name]);
      const linked = port.grows ? index < count - 1 : source !== null && source.kind !== "value";
      inputs.push({
        port,
        index: port.grows ? index : null,
        top,
        height,
        socket: collapsed ? HEADER / 2 : top + Math.min(height, 28) / 2,
        linked,
      });
      top += height;
    }
  }
  const room = showsPictures(face, layout) ? PICTURES[face.shows] : 0;
  const pictures = room > 0 && !collapsed ? { top, height: room } : null;
  const height = collapsed ? HEADER : top + room + PAD;
  return { width, height, inputs, outputs, pictures, collapsed };
}

const linkCount = (source: ReturnType<typeof readInput> | null): number =>
  source?.kind === "links" ? source.links.length : source?.kind === "link" ? 1 : 0;

/** Where the socket of an input lies on the canvas. */
export function inputPoint(at: Point, shape: Geometry, name: string, index: number | null): Point {
  const row =
    shape.inputs.find((one) => one.port.name === name && one.index === index) ??
    shape.inputs.find((one) => one.port.name === name);
  return [at[0], at[1] + (row?.socket ?? HEADER / 2)];
}

/** Where the socket of an output lies on the canvas. */
export function outputPoint(at: Point, shape: Geometry, name: string | undefined): Point {
  const row = name ? shape.outputs.find((one) => one.name === name) : shape.outputs[0];
  return [at[0] + shape.width, at[1] + (row?.socket ?? HEADER / 2)];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest box around some boxes; null around none. */
export function around(boxes: Iterable<Box>): Box | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  return right < left ? null : { x: left, y: top, width: right - left, height: bottom - top };
}
