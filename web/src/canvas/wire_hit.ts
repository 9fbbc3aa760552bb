/** Which wire passes a place, by the same curve that is drawn. */

import { segmentsOf } from "../doc/reroutes";
import type { Point } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { segmentEnds } from "./flow";

const NEAR = 22;
const STEPS = 24;

function cubic(a: number, b: number, c: number, d: number, t: number): number {
  const s = 1 - t;
  return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d;
}

/** Distance of a place from the curve between two sockets. */
function distance([x1, y1]: Point, [x2, y2]: Point, [x, y]: Point): number {
  const reach = Math.min(160, Math.max(24, Math.abs(x2 - x1) * 0.5, Math.abs(y2 - y1) * 0.25));
  let least = Infinity;
  for (let step = 0; step <= STEPS; step += 1) {
    const t = step / STEPS;
    const px = cubic(x1, x1 + reach, x2 - reach, x2, t);
    const py = cubic(y1, y1, y2, y2, t);
    least = Math.min(least, Math.hypot(px - x, py - y));
  }
  return least;
}

/** The nearest wire within reach that neither begins nor ends at a node; null if there is none. */
export function wireNear(editor: Editor, at: Point, node: string): string | null {
  const tab = editor.tabs.current();
  if (!tab) return null;
  const graph = graphOf(tab);
  const { library } = editor.library.getState();
  let found: string | null = null;
  let least = NEAR;
  for (const segment of segmentsOf(graph)) {
    if (segment.source.node === node || segment.wires.some((key) => key.startsWith(`${node}/`)))
      continue;
    const ends = segmentEnds(segment, graph, workflowOf(tab), library);
    if (!ends) continue;
    const far = distance(ends[0], ends[1], at);
    if (far < least) {
      least = far;
      found = segment.wires[0] ?? null;
    }
  }
  return found;
}
