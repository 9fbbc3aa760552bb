/** Paints a graph as boxes and wires. */

import { geometry } from "../doc/geometry";
import { itemType, outputType } from "../doc/joins";
import { faceOf, type Library } from "../doc/library";
import { segmentsOf } from "../doc/reroutes";
import { flatId } from "../doc/scope";
import { titleOf } from "../doc/titles";
import type { Graph, Point, Workflow } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, type Tab, type Viewport, workflowOf } from "../store/tabs";
import { toneIn } from "../ui/tones";
import { segmentEnds } from "./flow";
import { type Ink, inkOf } from "./ink";

/** Below this zoom titles cannot be read, and what is left of a node is its shape. */
const TITLED = 0.12;

export function paintFar(
  pen: CanvasRenderingContext2D,
  editor: Editor,
  view: Viewport,
  size: Point,
): void {
  const tab = editor.tabs.current();
  if (!tab) return;
  const ink = inkOf();
  const seen = {
    left: -view.x / view.zoom,
    top: -view.y / view.zoom,
    right: (size[0] - view.x) / view.zoom,
    bottom: (size[1] - view.y) / view.zoom,
  };
  pen.translate(view.x, view.y);
  pen.scale(view.zoom, view.zoom);
  paintWires(pen, editor, tab, view.zoom, ink);
  paintNodes(pen, editor, tab, view.zoom, seen, ink);
}

const wirePaths = new WeakMap<Graph, { library: Library; paths: ReadonlyMap<string, Path2D> }>();

/** All wires as one path for each colour; they stay the same while only the view moves. */
function pathsOf(graph: Graph, workflow: Workflow, library: Library): ReadonlyMap<string, Path2D> {
  const known = wirePaths.get(graph);
  if (known?.library === library) return known.paths;
  const paths = new Map<string, Path2D>();
  for (const segment of segmentsOf(graph)) {
    const ends = segmentEnds(segment, graph, workflow, library);
    if (!ends) continue;
    const type = outputType(segment.source, graph, workflow, library);
    const colour = library.sockets[itemType(type) ?? type]?.colour ?? "#9aa0a6";
    const path = paths.get(colour) ?? new Path2D();
    paths.set(colour, path);
    const [[x1, y1], [x2, y2]] = ends;
    path.moveTo(x1, y1);
    // Straight lines cost a third of curves, and look the same from here.
    path.lineTo(x2, y2);
  }
  wirePaths.set(graph, { library, paths });
  return paths;
}

function paintWires(
  pen: CanvasRenderingContext2D,
  editor: Editor,
  tab: Tab,
  zoom: number,
  ink: Ink,
): void {
  const { library } = editor.library.getState();
  // What is thinner than a pixel looks paler than its colour.
  pen.lineWidth = Math.min(8, 1.5 / zoom);
  for (const [colour, path] of pathsOf(graphOf(tab), workflowOf(tab), library)) {
    pen.strokeStyle = toneIn(ink.theme, colour);
    pen.stroke(path);
  }
}

interface Seen {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function paintNodes(
  pen: CanvasRenderingContext2D,
  editor: Editor,
  tab: Tab,
  zoom: number,
  seen: Seen,
  ink: Ink,
): void {
  const graph: Graph = graphOf(tab);
  const workflow: Workflow = workflowOf(tab);
  const { library } = editor.library.getState();
  const runs = tab.job === null ? undefined : editor.runs.getState().jobs[tab.job]?.nodes;
  pen.lineWidth = Math.min(6, 1 / zoom);
  pen.font = `${Math.min(120, 11 / zoom)}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  const titled = zoom > TITLED;
  for (const [id, entry] of Object.entries(graph.nodes)) {
    const layout = graph.layout.nodes?.[id];
    const [x, y] = layout?.at ?? [0, 0];
    const shape = geometry(entry, faceOf(id, entry, graph, workflow, library), layout);
    if (
      x > seen.right ||
      y > seen.bottom ||
      x + shape.width < seen.left ||
      y + shape.height < seen.top
    ) {
      continue;
    }
    const status = runs?.[flatId(tab.scope, id)]?.status ?? "";
    pen.globalAlpha = entry.mode ? 0.45 : 1;
    pen.fillStyle = ink.node;
    pen.fillRect(x, y, shape.width, shape.height);
    const own = layout?.colour && toneIn(ink.theme, layout.colour);
    pen.fillStyle = ink.status[status] ?? own ?? (titled ? ink.header : ink.shape);
    const top = Math.max(34, 4 / zoom);
    pen.fillRect(x, y, shape.width, top);
    pen.strokeStyle = tab.selection.has(`n:${id}`) ? ink.selection : ink.shape;
    pen.strokeRect(x, y, shape.width, shape.height);
    if (titled) {
      pen.fillStyle = ink.text;
      const title = titleOf(id, graph, workflow, library);
      pen.fillText(title, x + 10, y + (top + shape.height) / 2, shape.width - 20);
    }
  }
  pen.globalAlpha = 1;
}
