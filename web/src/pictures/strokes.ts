/** Undo for a mask: each step keeps the part of the mask that it changed, as it was. */

import { isEmpty, type Mask, type Rect } from "./mask";

interface Step {
  readonly area: Rect;
  /** The area as it is not now: before the step, or after it once it was undone. */
  readonly data: Uint8Array;
}

/** Bytes that are kept; the oldest steps go first. */
const BUDGET = 256 << 20;

export class Strokes {
  private readonly mask: Mask;
  private readonly budget: number;
  /** The mask as it was after the last step. */
  private readonly settled: Mask;
  private past: Step[] = [];
  private future: Step[] = [];

  constructor(mask: Mask, budget = BUDGET) {
    this.mask = mask;
    this.budget = budget;
    this.settled = { ...mask, data: mask.data.slice() };
  }

  /** What was painted in an area since the last step is a step. */
  keep(area: Rect): void {
    if (isEmpty(area)) return;
    this.past.push({ area, data: cut(this.settled, area) });
    paste(this.settled, area, cut(this.mask, area));
    this.future = [];
    let held = this.past.reduce((sum, step) => sum + step.data.length, 0);
    while (held > this.budget && this.past.length > 1) held -= this.past.shift()?.data.length ?? 0;
  }

  /** Take back what was painted in an area since the last step. */
  drop(area: Rect): void {
    if (!isEmpty(area)) paste(this.mask, area, cut(this.settled, area));
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Where the mask changed; null if there is nothing to take back. */
  undo(): Rect | null {
    return this.swap(this.past, this.future);
  }

  redo(): Rect | null {
    return this.swap(this.future, this.past);
  }

  private swap(from: Step[], to: Step[]): Rect | null {
    const step = from.pop();
    if (!step) return null;
    to.push({ area: step.area, data: cut(this.mask, step.area) });
    paste(this.mask, step.area, step.data);
    paste(this.settled, step.area, step.data);
    return step.area;
  }
}

function cut({ width, data }: Mask, { left, top, right, bottom }: Rect): Uint8Array {
  const part = new Uint8Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++) {
    part.set(data.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return part;
}

function paste({ width, data }: Mask, { left, top, right, bottom }: Rect, part: Uint8Array): void {
  for (let y = top; y < bottom; y++) {
    const at = (y - top) * (right - left);
    data.set(part.subarray(at, at + right - left), y * width + left);
  }
}
