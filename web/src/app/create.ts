/** The editor, put together. */

import { makeActions } from "../actions/actions";
import { makeCanvasSlot } from "../canvas/handle";
import { COMMANDS } from "../commands/table";
import type { Editor } from "../editor";
import { makePlugins } from "../plugins/plugins";
import { makeApi } from "../server/api";
import { makeLine } from "../server/line";
import { makeLibraryStore } from "../store/library";
import { makeRuns } from "../store/runs";
import type { Job } from "../store/runs_state";
import { makeSettings } from "../store/settings";
import { makeShelf } from "../store/shelf";
import { makeTabs } from "../store/tabs";
import { makeUi } from "../store/ui";
import { createQuestions } from "../ui/confirm";
import { createToasts, type Toasts } from "../ui/toasts_store";
import { makeNotify } from "./notify";

export function createEditor(): { editor: Editor; toasts: Toasts } {
  const toasts = createToasts();
  const ui = makeUi(toasts);
  const told = (sentence: string) => ui.toast("error", sentence);
  const api = makeApi();
  const tabs = makeTabs(ui.say);
  const library = makeLibraryStore(api, told);
  const settings = makeSettings(api);
  const shelf = makeShelf(api, told);
  const plugins = makePlugins(api, told);
  const notify = makeNotify(settings, told);
  const runs = makeRuns(api, {
    told,
    onNodes: (errors) => {
      void library.reload();
      for (const sentence of errors) ui.toast("warning", sentence);
    },
    onWorkflow: (path, etag) => {
      void shelf.load();
      for (const tab of tabs.getState().tabs) {
        // The tag of what this window has saved itself comes with the answer to it.
        if (tab.path === path && tab.etag !== etag) markOvertaken(path);
      }
    },
    onSettings: () => void settings.load(),
    onFinished: (job) => {
      const words = { done: "is done", failed: "has failed", cancelled: "was cancelled" };
      const what = words[job.status as keyof typeof words] ?? "is over";
      const sentence = `${job.name || "The job"} ${what}.`;
      ui.say(sentence);
      notify.tell(job, sentence);
      if (job.status !== "failed") return;
      ui.toast("error", job.problem || `${job.name} has failed.`, showFailed(job));
    },
  });
  /** The way to the first node that failed, if its workflow is still open. */
  const showFailed = (job: Job) => {
    const [flat] = Object.entries(job.nodes).find(([, run]) => run.status === "failed") ?? [];
    const tab = tabs.getState().tabs.find((one) => one.jobs.includes(job.id));
    if (flat === undefined || !tab) return undefined;
    const run = () => {
      tabs.activate(tab.id);
      editor.actions.nodes.show(flat);
    };
    return { label: "Show", run };
  };
  const markOvertaken = (path: string) =>
    setTimeout(async () => {
      for (const tab of tabs.getState().tabs.filter((one) => one.path === path)) {
        const now = await api.readWorkflow(path).catch(() => null);
        const same = now !== null && now.etag === tabs.find(tab.id)?.etag;
        tabs.patch(tab.id, { overtaken: now !== null && !same });
      }
    }, 500);
  runs.subscribe((now, before) => {
    if (now.running === before.running) return;
    // Of several jobs of one tab its nodes show the one that runs.
    for (const tab of tabs.getState().tabs) {
      const shown = now.running.find((id) => tab.jobs.includes(id));
      if (shown !== undefined && shown !== tab.job) tabs.patch(tab.id, { job: shown });
    }
  });
  tabs.subscribe((now, before) => {
    // Nodes show these jobs, those too that no event tells of since their values were kept.
    if (now.tabs !== before.tabs) runs.keep(now.tabs.flatMap((tab) => tab.job ?? []));
  });
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
