/** A mask that is being painted: strokes, what acts on all of it, and undo. Knows no page. */

import {
  type Brush,
  fill,
  invert,
  joined,
  type Mask,
  maskOf,
  type Place,
  paintLine,
  type Rect,
  reach,
} from "./mask";
import type { Pixels } from "./png";
import { Strokes } from "./strokes";

export class Painting {
  readonly pixels: Pixels;
  readonly mask: Mask;
  private readonly strokes: Strokes;
  private stroke: { area: Rect; last: Place } | null = null;
  private readonly listeners = new Set<(area: Rect | null) => void>();

  constructor(pixels: Pixels) {
    this.pixels = pixels;
    this.mask = maskOf(pixels);
    this.strokes = new Strokes(this.mask);
  }

  /** To be told which area changed; null if only what can be undone did. */
  subscribe(listener: (area: Rect | null) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get canUndo(): boolean {
    return this.strokes.canUndo;
  }

  get canRedo(): boolean {
    return this.strokes.canRedo;
  }

  begin(at: Place, brush: Brush): void {
    this.end();
    this.stroke = { area: reach(this.mask, at, at, brush.size), last: at };
    this.lineTo(at, brush);
  }

  /** Go on with the stroke that was begun. */
  lineTo(at: Place, brush: Brush): void {
    if (!this.stroke) return;
    const area = paintLine(this.mask, this.stroke.last, at, brush);
    this.stroke = { area: joined(this.stroke.area, area), last: at };
    this.tell(area);
  }

  end(): void {
    if (!this.stroke) return;
    this.strokes.keep(this.stroke.area);
    this.stroke = null;
    this.tell(null);
  }

  /** Take back the stroke that was begun: it was meant for something else. */
  cancel(): void {
    if (!this.stroke) return;
    const { area } = this.stroke;
    this.strokes.drop(area);
    this.stroke = null;
    this.tell(area);
  }

  fill(value: 0 | 255): void {
    this.all(() => fill(this.mask, value));
  }

  invert(): void {
    this.all(() => invert(this.mask));
  }

  undo(): void {
    this.end();
    const area = this.strokes.undo();
    if (area) this.tell(area);
  }

  redo(): void {
    this.end();
    const area = this.strokes.redo();
    if (area) this.tell(area);
  }

  private all(change: () => Rect): void {
    this.end();
    const area = change();
    this.strokes.keep(area);
    this.tell(area);
  }

  private tell(area: Rect | null): void {
    for (const listener of this.listeners) listener(area);
  }
}
