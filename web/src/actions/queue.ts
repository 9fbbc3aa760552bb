/** What is done with jobs that were handed in; what cannot be done is said in a sentence. */

import type { Editor } from "../editor";
import type { JobChange } from "../gen/api";
import { sentenceOf } from "../server/api";

export interface QueueActions {
  /** Stop a job that is not over. */
  cancel(id: string): Promise<void>;
  cancelAll(): Promise<void>;
  /** Put a job that waits elsewhere. */
  move(id: string, change: JobChange): Promise<void>;
  setPaused(paused: boolean): Promise<void>;
  /** Hand a job in again that is over; it is shown on the nodes of the tab that it came from. */
  retry(id: string): Promise<void>;
  /** Take a job that is over out of the history. */
  remove(id: string): Promise<void>;
  /** Let the workers let go of models and of values that they keep in memory. */
  free(): Promise<void>;
  /** Fetch runs that are older than those that are listed. */
  older(): Promise<void>;
}

export function makeQueueActions(get: () => Editor): QueueActions {
  /** Do something and say so; if it fails, say that. */
  const attempt = async (what: string, work: () => Promise<string | undefined>) => {
    try {
      const said = await work();
      if (said) get().ui.say(said);
    } catch (error) {
      get().ui.toast("error", `${what}: ${sentenceOf(error)}`);
    }
  };
  return {
    cancel: (id) =>
      attempt("The job cannot be cancelled", async () => {
        await get().api.cancel(id);
        return "The job is cancelled.";
      }),
    cancelAll: () =>
      attempt("The jobs cannot be cancelled", async () => {
        const count = await get().api.cancelAll();
        return count === 1 ? "One job is cancelled." : `${count} jobs are cancelled.`;
      }),
    move: (id, change) =>
      attempt("The job cannot be moved", async () => {
        await get().api.move(id, change);
        return undefined;
      }),
    setPaused: (paused) =>
      attempt(paused ? "The queue cannot be paused" : "The queue cannot go on", async () => {
        await (paused ? get().api.pause() : get().api.resume());
        return paused ? "The queue is paused." : "The queue goes on.";
      }),
    retry: (id) =>
      attempt("The job cannot be run again", async () => {
        const { api, runs, tabs, ui } = get();
        await runs.handIn(
          () => api.retry(id),
          (accepted) => {
            const { tabs: all } = tabs.getState();
            const tab = all.find((one) => one.job === id || one.jobs.includes(id));
            if (tab) tabs.patch(tab.id, { job: accepted.id, jobs: [...tab.jobs, accepted.id] });
            ui.say("The job is queued again.");
          },
        );
        return undefined;
      }),
    remove: (id) =>
      attempt("The run cannot be removed", async () => {
        await get().api.remove(id);
        return "The run is removed.";
      }),
    free: () =>
      attempt("The models cannot be unloaded", async () => {
        await get().api.free();
        return "Models are unloaded.";
      }),
    older: () =>
      attempt("Older runs cannot be listed", async () => {
        await get().runs.olderJobs();
        return undefined;
      }),
  };
}
