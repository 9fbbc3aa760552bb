/** When what is painted of a graph has to be painted anew. */

import type { Editor } from "../editor";
import type { NodeRun } from "../store/runs";

type Runs = Readonly<Record<string, NodeRun>> | undefined;

/** Whether a node has another status; a further step of a node that runs is no such thing. */
export function statusesDiffer(now: Runs = {}, before: Runs = {}): boolean {
  if (now === before) return false;
  for (const id in now) {
    const run = now[id];
    if (run !== before[id] && run?.status !== before[id]?.status) return true;
  }
  return Object.keys(now).length !== Object.keys(before).length;
}

/** Call whenever a node of the job that is in view has another status. */
export function onStatus({ runs, tabs }: Editor, call: () => void): () => void {
  return runs.subscribe((now, before) => {
    const job = tabs.current()?.job;
    if (job && statusesDiffer(now.jobs[job]?.nodes, before.jobs[job]?.nodes)) call();
  });
}

interface Repaint {
  /** Something has changed. */
  ask(): void;
  stop(): void;
}

/**
 * Paint with the next picture of the screen after something has changed.
 *
 * @param least Milliseconds between two paintings, for what may lag a little behind.
 */
export function repaint(paint: () => void, least = 0): Repaint {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let painted = Number.NEGATIVE_INFINITY;
  const draw = () => {
    frame = 0;
    painted = performance.now();
    paint();
  };
  const soon = () => {
    timer = undefined;
    frame = requestAnimationFrame(draw);
  };
  return {
    ask() {
      if (frame !== 0 || timer !== undefined) return;
      const rest = painted + least - performance.now();
      if (rest > 0) timer = setTimeout(soon, rest);
      else soon();
    },
    stop() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}
