/** Says what became of the nodes of the job in view, to those who do not see their badges. */

import { duration } from "../canvas/badge";
import { flatTitle } from "../doc/titles";
import type { Editor } from "../editor";
import { isOver, type Job } from "../store/runs_state";
import { workflowOf } from "../store/tabs";

/** Seconds from which on the end of a node is news. */
const LONG = 1;

export function announce({ tabs, runs, library, ui }: Editor): () => void {
  return runs.subscribe((now, before) => {
    const tab = tabs.current();
    if (!tab?.job) return;
    const { done, failed } = news(before.jobs[tab.job], now.jobs[tab.job]);
    const title = (flat: string) => flatTitle(flat, workflowOf(tab), library.getState().library);
    const sentences = done.map(([flat, seconds]) => `${title(flat)} done in ${duration(seconds)}.`);
    if (sentences.length > 0) ui.say(sentences.join(" "));
    if (failed.length > 0) {
      ui.warn(failed.map(([flat, why]) => `${title(flat)} failed: ${why}`).join(" "));
    }
  });
}

interface News {
  /** Nodes that took long, with their seconds. */
  readonly done: readonly (readonly [string, number])[];
  /** Nodes that failed, with the reason as a sentence. */
  readonly failed: readonly (readonly [string, string])[];
}

/** What happened between two states of a job; nothing if only now it is known what it did before. */
export function news(before: Job | undefined, now: Job | undefined): News {
  const done: [string, number][] = [];
  const failed: [string, string][] = [];
  if (!before?.loaded || !now || isOver(before) || before.nodes === now.nodes) {
    return { done, failed };
  }
  for (const [flat, run] of Object.entries(now.nodes)) {
    if (before.nodes[flat]?.status === run.status) continue;
    const seconds = run.seconds ?? 0;
    if (run.status === "ran" && seconds >= LONG) done.push([flat, seconds]);
    if (run.status === "failed") failed.push([flat, run.sentence ?? ""]);
  }
  return { done, failed };
}
