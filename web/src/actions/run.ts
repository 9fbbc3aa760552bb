/** Running the workflow in view, and stopping what runs. */

import { flatId } from "../doc/scope";
import { nextSeeds } from "../doc/seeds";
import type { Editor } from "../editor";
import type { Accepted } from "../gen/api";
import { ApiError, type Problem, sentenceOf } from "../server/api";
import type { RunsState } from "../store/runs";
import { type Tab, workflowOf } from "../store/tabs";

export interface RunActions {
  /** Hand in the workflow in view. `only` names nodes of the graph in view that are wanted. */
  start(options?: { readonly only?: readonly string[]; readonly first?: boolean }): Promise<void>;
  /** Stop the job of the tab in view. */
  cancel(): Promise<void>;
  /** Show the job on the nodes of the tab in view. */
  show(id: string): void;
  /** Check the workflow in view with the server; problems are shown on their nodes. */
  check(): Promise<readonly Problem[]>;
}

const MOST_JOBS = 2000;

/** Whether a job waits or runs. */
const isActive = (state: RunsState, id: string): boolean => {
  const status = state.jobs[id]?.status;
  return status === "running" || status === "queued";
};

const errors = (problems: readonly Problem[]) =>
  problems.filter((problem) => problem.severity !== "warning");

export function makeRunActions(get: () => Editor): RunActions {
  const trouble = (what: string, error: unknown) =>
    get().ui.toast("error", `${what}: ${sentenceOf(error)}`);

  return {
    async start(options = {}) {
      const { tabs, api, runs, settings, library } = get();
      const before = tabs.current();
      if (!before) return;
      if (!before.locked) {
        // The seed changes before the run, so that the one that is shown made the picture.
        tabs.edit((now) => nextSeeds(now, library.getState().library, Math.random), "seeds");
        tabs.seal();
      }
      const tab = tabs.current() ?? before;
      const { batch } = settings.getState().values;
      try {
        const wanted = {
          workflow: workflowOf(tab),
          batch,
          ...(options.first && { priority: 1 }),
          ...(options.only && { only: options.only.map((id) => flatId(tab.scope, id)) }),
          ...(tab.path !== null && { origin: tab.path }),
        };
        await runs.handIn(
          () => api.submit(wanted),
          (accepted) => taken(get(), tab, accepted, options.only === undefined),
        );
      } catch (error) {
        if (error instanceof ApiError && error.problems.length > 0)
          refused(get(), tab, error.problems);
        else trouble("The job was not taken", error);
      }
    },
    async cancel() {
      const job = get().tabs.current()?.job;
      if (job) await get().actions.queue.cancel(job);
    },
    show(id) {
      const { tabs, runs, ui } = get();
      const tab = tabs.current();
      if (!tab) return;
      tabs.patch(tab.id, { job: id });
      const job = runs.getState().jobs[id];
      ui.say(`The nodes show run #${job?.number ?? id}.`);
      runs.loadJob(id).catch((error: unknown) => trouble("That run cannot be read", error));
    },
    async check() {
      const { tabs, api } = get();
      const tab = tabs.current();
      if (!tab) return [];
      const workflow = workflowOf(tab);
      const problems = await api.check({ workflow });
      const now = tabs.find(tab.id);
      if (now && workflowOf(now) === workflow) tabs.patch(tab.id, { problems });
      return problems;
    },
  };
}

/** Show the jobs that were taken, and say what becomes of them. */
function taken({ tabs, runs, ui }: Editor, tab: Tab, accepted: Accepted, whole: boolean): void {
  const now = tabs.find(tab.id) ?? tab;
  const jobs = [...now.jobs, ...accepted.jobs.map((job) => job.id)].slice(-MOST_JOBS);
  const active = now.job !== null && isActive(runs.getState(), now.job);
  const problems = accepted.warnings as unknown as Problem[];
  tabs.patch(tab.id, { job: active ? now.job : accepted.id, jobs, problems });
  const nothing = problems.find((one) => one.code === "nothing_wanted");
  if (nothing && whole) {
    ui.toast("warning", `${nothing.sentence} ${nothing.way_out}`);
    return;
  }
  const count = accepted.jobs.length;
  ui.say(count > 1 ? `${count} jobs wait for their turn.` : "The job is queued.");
}

/** Show on the nodes why the workflow was not taken. */
function refused({ tabs, ui }: Editor, tab: Tab, problems: readonly Problem[]): void {
  tabs.patch(tab.id, { problems });
  const found = errors(problems);
  const missing = found.filter(({ code }) => code === "missing_file" || code === "unknown_type");
  if (missing.length > 0) ui.show({ kind: "missing", tab: tab.id });
  // The dialog has told all of it.
  if (missing.length > 0 && missing.length === found.length) return;
  const [first] = found;
  const more = found.length > 1 ? ` And ${found.length - 1} more.` : "";
  ui.toast("error", `It cannot run: ${first?.sentence ?? "the check found problems."}${more}`);
}
