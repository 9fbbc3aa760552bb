/** Saving, reading again, downloading and closing workflows. */

import { canonical } from "../doc/parse";
import type { Editor } from "../editor";
import { ApiError } from "../server/api";
import { isUnsaved, type Tab, workflowOf } from "../store/tabs";
import { plainName, ready } from "./documents";
import type { FileActions } from "./files";

type Trouble = (what: string, error: unknown) => void;
type Saving = Pick<FileActions, "save" | "saveAs" | "reload" | "close" | "download">;

export function savingActions(get: () => Editor, trouble: Trouble): Saving {
  return {
    async save(tab = get().tabs.current()) {
      if (!tab) return false;
      if (tab.path !== null) return write(get(), trouble, tab, tab.path, tab.etag);
      get().ui.show({ kind: "save-as", tab: tab.id });
      return false;
    },
    async saveAs(tab, path, overwrite = false) {
      try {
        const etag = overwrite ? await etagOf(get(), path) : null;
        return await write(get(), trouble, tab, path, etag);
      } catch (error) {
        trouble(`'${path}' is not saved`, error);
        return false;
      }
    },
    async reload(tab) {
      const editor = get();
      if (tab.path === null) return;
      try {
        const { workflow, etag } = await editor.api.readWorkflow(tab.path);
        const whole = ready(editor, workflow);
        editor.tabs.activate(tab.id);
        editor.tabs.edit(() => whole);
        editor.tabs.patch(tab.id, { etag, saved: whole, overtaken: false });
      } catch (error) {
        trouble(`'${tab.path}' cannot be read`, error);
      }
    },
    async close(id) {
      const { tabs, questions } = get();
      const tab = tabs.find(id);
      if (!tab) return;
      const kept = !isUnsaved(tab) || Object.keys(workflowOf(tab).nodes).length === 0;
      const yes =
        kept ||
        (await questions.ask({
          title: `Close ${workflowOf(tab).name || "this workflow"} without saving?`,
          description: "What was changed since it was saved last will be gone.",
          action: "Close without saving",
          danger: true,
        }));
      if (yes) tabs.close(id);
    },
    download,
  };
}

/** @param etag Of what is to be replaced; null if nothing may be there yet. */
async function write(
  { api, tabs, ui }: Editor,
  trouble: Trouble,
  tab: Tab,
  path: string,
  etag: string | null,
): Promise<boolean> {
  const workflow = workflowOf(tab);
  try {
    const saved = await api.saveWorkflow(path, workflow, etag);
    tabs.patch(tab.id, { path: saved.path, etag: saved.etag, saved: workflow, overtaken: false });
    ui.say(`Saved as ${saved.path}.`);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 412 || error.status === 428)) {
      ui.show({ kind: "conflict", tab: tab.id });
    } else if (error instanceof ApiError && error.status === 403) {
      ui.show({ kind: "save-as", tab: tab.id });
    } else trouble(`'${path}' is not saved`, error);
    return false;
  }
}

async function etagOf({ api }: Editor, path: string): Promise<string | null> {
  try {
    return (await api.readWorkflow(path)).etag;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function download(tab: Tab): void {
  const workflow = workflowOf(tab);
  const url = URL.createObjectURL(new Blob([canonical(workflow)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${plainName(tab.path ?? "") || workflow.name || "workflow"}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
