/** What the editor does when it starts, and what it keeps doing. */

import type { Editor } from "../editor";
import type { WorkflowRead } from "../server/api";
import { watch } from "../server/socket";
import { applyMotion } from "../ui/motion";
import { applyTheme } from "../ui/theme";
import { announce } from "./announce";

/** The workflow that somebody sees who comes for the first time. */
const FIRST = "text_to_image";

/** Have what nothing can be shown without. */
export async function start(editor: Editor): Promise<void> {
  follow(editor);
  announce(editor);
  await Promise.all([editor.library.load(), editor.settings.load()]);
}

/**
 * Follow what the server tells, and have what is not in the first view. A browser has few
 * connections to one server, so all this waits until the workflow is there.
 */
export function attend(editor: Editor): void {
  const { api, line, runs, library, settings, shelf, plugins, ui } = editor;
  for (const kind of kindsOf(editor)) void library.loadFiles(kind);
  let fresh = true;
  const connect = () => {
    const socket = watch({
      base: api.base,
      previews: settings.getState().values.previews,
      onBatch: (events, previews) => runs.apply(events, previews),
      onState: (connection) => runs.connection(connection),
      onTrouble: ui.say,
      onReset: () => {
        void runs.refresh();
        // Of files no event tells, and those of a page that just begins are on their way.
        void (fresh ? library.load() : library.reload());
        fresh = false;
      },
    });
    line.attach(socket);
    return socket;
  };
  let socket = connect();
  settings.subscribe((now, before) => {
    if (now.values.previews === before.values.previews) return;
    socket.close();
    socket = connect();
  });
  if (!runs.getState().gallery.loaded) void runs.loadGallery();
  void shelf.load();
  void plugins
    .load()
    .catch(() => ui.toast("warning", "What packs bring to the editor cannot be listed."));
}

/** What is opened first, and the answer that has it. */
interface First {
  readonly path: string;
  readonly template: boolean;
  readonly read: Promise<WorkflowRead>;
}

/** Ask for what the address names, else for the first workflow, while nodes are on their way. */
export function readFirst({ api }: Editor): First {
  const wanted = new URLSearchParams(location.search).get("workflow");
  const path = wanted || FIRST;
  const read = api.readWorkflow(path);
  read.catch(() => undefined); // whoever opens it tells of it
  return { path, template: !wanted, read };
}

export async function openFirst(editor: Editor, first: First): Promise<void> {
  const { actions, tabs } = editor;
  if (tabs.getState().tabs.length > 0) return;
  if (await actions.files.openSaved(first.path, first)) return;
  if (!first.template && (await actions.files.openSaved(FIRST, { template: true }))) return;
  actions.files.create();
}

const kindsOf = ({ library }: Editor): Set<string> => {
  const kinds = new Set<string>();
  for (const spec of Object.values(library.getState().library.nodes)) {
    for (const port of spec.inputs) if (port.file) kinds.add(port.file.root);
  }
  return kinds;
};

/** The theme, the motion and the title follow what they are about. */
function follow(editor: Editor): void {
  const { settings, tabs, runs } = editor;
  let stop = applyTheme(settings.getState().values.theme);
  let still = applyMotion(settings.getState().values.motion);
  settings.subscribe((now, before) => {
    if (now.values.theme !== before.values.theme) {
      stop();
      stop = applyTheme(now.values.theme);
    }
    if (now.values.motion !== before.values.motion) {
      still();
      still = applyMotion(now.values.motion);
    }
  });
  let last = "";
  const title = () => {
    const next = titleOf(editor);
    if (next !== last) document.title = last = next;
  };
  tabs.subscribe(title);
  runs.subscribe(title);
}

/** `25% Text to image · nodeflow` while its job runs. */
export function titleOf({ tabs, runs }: Editor): string {
  const tab = tabs.current();
  if (!tab) return "nodeflow";
  const name = tab.history.now.name || tab.path || "Untitled";
  const job = tab.job === null ? undefined : runs.getState().jobs[tab.job];
  const running = job?.status === "running" ? Object.values(job.nodes) : [];
  const step = running.find((run) => run.status === "running" && run.total);
  const part = step?.total ? `${Math.round((100 * (step.step ?? 0)) / step.total)}% ` : "";
  return `${part}${name} · nodeflow`;
}
