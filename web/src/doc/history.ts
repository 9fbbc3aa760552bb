/** Undo: whole documents, past and future. What is no document (selection, pictures) stays out. */

import type { Workflow } from "./types";

export interface History {
  readonly past: readonly Workflow[];
  readonly now: Workflow;
  readonly future: readonly Workflow[];
  /** What the newest step was, and when; a step of the same tag soon after joins it. */
  readonly tag: string;
  readonly time: number;
}

const STEPS = 200;

/** Steps of one tag within so many milliseconds are one. */
const TOGETHER = 800;

export const begin = (now: Workflow): History => ({ past: [], now, future: [], tag: "", time: 0 });

/** Go on with a document. A tag joins bursts (a drag, typing in one field) into one step. */
export function commit(history: History, next: Workflow, tag: string, time: number): History {
  if (next === history.now) return history;
  const joins = tag !== "" && tag === history.tag && time - history.time < TOGETHER;
  const past = joins ? history.past : [...history.past.slice(1 - STEPS), history.now];
  return { past, now: next, future: [], tag, time };
}

/** The next step begins anew, whatever its tag: a drag is over, a field was left. */
export const seal = (history: History): History =>
  history.tag === "" ? history : { ...history, tag: "" };

export function undo(history: History): History {
  const now = history.past.at(-1);
  if (!now) return history;
  const future = [history.now, ...history.future];
  return { past: history.past.slice(0, -1), now, future, tag: "", time: 0 };
}

export function redo(history: History): History {
  const [now, ...future] = history.future;
  if (!now) return history;
  return { past: [...history.past, history.now], now, future, tag: "", time: 0 };
}
