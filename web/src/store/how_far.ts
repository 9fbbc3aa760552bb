/** How far a job is: in per cent, at which node, and how long that node will still take. */

import type { Job, NodeRun } from "./runs_state";

/** How far a running job is in per cent; null for one that does not run. */
export function percentOf(job: Job | undefined): number | null {
  if (job?.status !== "running") return null;
  const runs = Object.values(job.nodes);
  // Lazy inputs may ask for more nodes than the job was begun with.
  const total = Math.max(job.total, runs.length, 1);
  let done = 0;
  for (const run of runs) {
    if (run.status === "running") done += run.total ? (run.step ?? 0) / run.total : 0;
    else if (run.status !== "waiting") done += 1;
  }
  return Math.min(99, Math.round((100 * done) / total));
}

/** The flat id of the node that a job is at: of several that run the one that counts its steps. */
export function nodeAt(job: Job | undefined): string | null {
  const running = Object.entries(job?.nodes ?? {}).filter(([, run]) => run.status === "running");
  const [found] = running.find(([, run]) => run.total) ?? running[0] ?? [];
  return found ?? null;
}

/** Milliseconds that a node will still take, by the speed of its steps; null if nobody can say. */
export function timeLeft(run: NodeRun, now: number): number | null {
  const { pace, step, total, started } = run;
  if (run.status !== "running" || !pace || step === undefined || !total) return null;
  const measured = step - pace.step;
  const each =
    measured > 0
      ? (pace.at - pace.from) / measured
      : started !== undefined && step > 0
        ? (pace.at - started) / step
        : null;
  if (each === null || each < 0) return null;
  return Math.max(0, each * (total - step) - (now - pace.at));
}
