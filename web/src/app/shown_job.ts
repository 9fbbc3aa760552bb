/** Which of a tab's jobs its nodes show. */

import type { RunsStore } from "../store/runs";
import { isOver, type RunsState } from "../store/runs_state";
import type { Tabs } from "../store/tabs";

/** Tabs show the jobs that run, and what they show is kept. */
export function keepTogether(tabs: Tabs, runs: RunsStore): void {
  runs.subscribe((now, before) => {
    if (now.running === before.running) return;
    for (const tab of tabs.getState().tabs) {
      const shown = jobToShow(tab.jobs, now, before);
      if (shown !== undefined && shown !== tab.job) tabs.patch(tab.id, { job: shown });
    }
  });
  tabs.subscribe((now, before) => {
    // Nodes show these jobs, those too that no event tells of since their values were kept.
    if (now.tabs !== before.tabs) runs.keep(now.tabs.flatMap((tab) => tab.job ?? []));
  });
}

/**
 * Of several jobs the one that runs, or else the last that ran since: a short one may begin and end
 * between two looks. Undefined if none did.
 */
function jobToShow(ids: readonly string[], now: RunsState, before: RunsState): string | undefined {
  const running = now.running.find((id) => ids.includes(id));
  if (running !== undefined) return running;
  let last: { id: string; finished: number } | undefined;
  for (const id of ids) {
    const was = before.jobs[id];
    const job = now.jobs[id];
    // What was cancelled while it waited has nothing to show.
    if (!was || isOver(was) || !job || !isOver(job) || job.started === null) continue;
    const finished = job.finished ?? 0;
    if (last === undefined || finished >= last.finished) last = { id, finished };
  }
  return last?.id;
}
