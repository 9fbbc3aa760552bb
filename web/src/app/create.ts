/** The editor, put together. */

import { makeActions } from "../actions/actions";
import { makeCanvasSlot } from "../canvas/handle";
import { COMMANDS } from "../commands/table";
import type { Editor } from "../editor";
import { makePlugins } from "../plugins/plugins";
import { makeApi } from "../server/api";
import { makeLine } from "../server/line";
import { makeLibraryStore } from "../store/library";
import { type Job, makeRuns, type RunsStore } from "../store/runs";
import { makeSettings } from "../store/settings";
import { makeShelf } from "../store/shelf";
import { makeTabs } from "../store/tabs";
import { makeUi } from "../store/ui";
import { createQuestions } from "../ui/confirm";
import { createToasts, type Toast, type Toasts } from "../ui/toasts_store";
import { makeNotify } from "./notify";
import { keepTogether } from "./shown_job";
import { undoClock } from "./undo_clock";

export function createEditor(): { editor: Editor; toasts: Toasts } {
  const toasts = createToasts();
  const ui = makeUi(toasts);
  const told = (sentence: string) => ui.toast("error", sentence);
  const api = makeApi();
  const tabs = makeTabs(ui.say, undoClock());
  const library = makeLibraryStore(api, told);
  const settings = makeSettings(api);
  const shelf = makeShelf(api, told);
  const plugins = makePlugins(api, told);
  const notify = makeNotify(settings, told);
  const runs: RunsStore = makeRuns(api, {
    told,
    onNodes: (errors) => {
      void library.reload();
      for (const sentence of errors) ui.toast("warning", sentence);
    },
    onWorkflow: (path, etag) => {
      void shelf.load();
      // The tag of what this window has saved itself comes with the answer to it.
      const other = tabs.getState().tabs.some((tab) => tab.path === path && tab.etag !== etag);
      if (other) setTimeout(() => void markOvertaken(editor, path), 500);
    },
    onSettings: () => void settings.load(),
    onFinished: (job) => {
      const words = { done: "is done", failed: "has failed", cancelled: "was cancelled" };
      const what = words[job.status as keyof typeof words] ?? "is over";
      const sentence = `${job.name || "The job"} ${what}.`;
      ui.say(sentence);
      notify.tell(job, sentence);
      if (job.status !== "failed") return;
      ui.toast("error", job.problem || `${job.name} has failed.`, showFailed(editor, job));
    },
  });
  keepTogether(tabs, runs);
  const editor: Editor = {
    api,
    line: makeLine(),
    tabs,
    runs,
    library,
    settings,
    shelf,
    ui,
    questions: createQuestions(),
    plugins,
    canvas: makeCanvasSlot(),
    actions: makeActions(() => editor),
    commands: COMMANDS,
  };
  return { editor, toasts };
}

/** The way to the first node that failed, if its workflow is still open. */
function showFailed({ tabs, runs, actions }: Editor, job: Job): Toast["action"] {
  const tab = tabs.getState().tabs.find((one) => one.jobs.includes(job.id));
  // A job that was refused as a whole has no such node.
  if (!tab || (job.loaded && failedOf(job) === undefined)) return undefined;
  const run = async () => {
    // Of a job that ended while nobody listened the nodes may be on their way still.
    if (!runs.getState().jobs[job.id]?.loaded) await runs.loadJob(job.id).catch(() => undefined);
    const flat = failedOf(runs.getState().jobs[job.id] ?? job);
    tabs.activate(tab.id);
    if (flat !== undefined) actions.nodes.show(flat);
  };
  return { label: "Show", run: () => void run() };
}

const failedOf = (job: Job): string | undefined =>
  Object.entries(job.nodes).find(([, run]) => run.status === "failed")?.[0];

/** Mark the tabs of a file that somebody else has saved. */
async function markOvertaken({ api, tabs }: Editor, path: string): Promise<void> {
  for (const tab of tabs.getState().tabs.filter((one) => one.path === path)) {
    const now = await api.readWorkflow(path).catch(() => null);
    const same = now !== null && now.etag === tabs.find(tab.id)?.etag;
    tabs.patch(tab.id, { overtaken: now !== null && !same });
  }
}
