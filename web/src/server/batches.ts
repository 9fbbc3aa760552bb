/**
 * Batches: whatever comes between two pictures of the screen is handed on at once, so that a
 * thousand events cost one change of the store.
 */

import { type LiveEvent, type Preview, placeOf } from "./messages";
import type { Page } from "./page";

export type OnBatch = (events: readonly LiveEvent[], previews: readonly Preview[]) => void;

export interface Batches {
  add(events: readonly LiveEvent[]): void;
  /** Only the newest preview of a node is handed on. */
  preview(preview: Preview): void;
  /** Forget what was not handed on. */
  drop(): void;
}

/** A page that is not seen draws nothing, and a busy one may not come to it. */
const LONGEST = 250;

export function makeBatches(
  onBatch: OnBatch,
  page: Page,
  now: () => number = () => performance.now(),
): Batches {
  let events: LiveEvent[] = [];
  let previews = new Map<string, Preview>();
  let handed = Number.NEGATIVE_INFINITY;
  let callOff: (() => void) | null = null;

  const rest = () => {
    callOff?.();
    callOff = null;
    const batch = { events, previews: [...previews.values()] };
    events = [];
    previews = new Map();
    return batch;
  };
  const hand = () => {
    const batch = rest();
    handed = now();
    if (batch.events.length > 0 || batch.previews.length > 0) onBatch(batch.events, batch.previews);
  };
  const schedule = () => {
    // Browsers hold up the timers of hidden pages for up to a minute, but not what a socket brings.
    if (page.hidden && now() - handed >= LONGEST) return hand();
    if (callOff !== null) return;
    const timer = setTimeout(hand, LONGEST);
    const noFrame = page.frame(hand);
    callOff = () => {
      clearTimeout(timer);
      noFrame();
    };
  };
  return {
    add(more) {
      if (more.length === 0) return;
      for (const event of more) events.push(event);
      schedule();
    },
    preview(preview) {
      const place = placeOf(preview.job, preview.node);
      previews.delete(place);
      previews.set(place, preview);
      schedule();
    },
    drop: rest,
  };
}
