/** Opening workflows: saved ones, files, and what jobs ran. */

import { EMPTY_WORKFLOW, type Workflow } from "../doc/types";
import type { Editor } from "../editor";
import { ApiError, sentenceOf, type WorkflowRead } from "../server/api";
import type { Tab } from "../store/tabs";
import { plainName, ready } from "./documents";
import { savingActions } from "./saving";

export interface FileActions {
  create(): void;
  /**
   * Open what the server has under a name; a tab that has it already is shown.
   *
   * @param how.read The answer of the server, if it was asked already.
   */
  openSaved(
    path: string,
    how?: { readonly template?: boolean; readonly read?: Promise<WorkflowRead> },
  ): Promise<string | null>;
  /**
   * Open a JSON file or a picture in a tab of its own.
   *
   * @param quiet Say nothing of a file that holds no workflow: it is good for something else.
   */
  openFile(
    file: Blob,
    name: string,
    quiet?: boolean,
  ): Promise<"opened" | "no workflow" | "refused">;
  /** Open what a job ran, with its pictures on the nodes. */
  openJob(id: string): Promise<void>;
  openVersion(path: string, number: number): Promise<void>;
  openDocument(workflow: Workflow, name: string): string;
  save(tab?: Tab): Promise<boolean>;
  saveAs(tab: Tab, path: string, overwrite?: boolean): Promise<boolean>;
  /** Take what the server has instead of what is here. */
  reload(tab: Tab): Promise<void>;
  /** Close a tab, after asking if there is work in it that is nowhere else. */
  close(id: string): Promise<void>;
  download(tab: Tab): void;
}

/** Milliseconds; a large file takes its time. */
const PATIENCE = 120_000;

export function makeFileActions(get: () => Editor): FileActions {
  const trouble = (what: string, error: unknown) =>
    get().ui.toast("error", `${what}: ${sentenceOf(error)}`);

  const openDocument: FileActions["openDocument"] = (workflow, name) => {
    const whole = ready(get(), workflow);
    const named = whole.name ? whole : { ...whole, name };
    return get().tabs.open({ workflow: named, saved: null });
  };

  const files: FileActions = {
    create: () => void get().tabs.open({ workflow: { ...EMPTY_WORKFLOW }, saved: null }),
    openDocument,
    async openSaved(path, how = {}) {
      const editor = get();
      const open = editor.tabs.getState().tabs.find((tab) => tab.path === path);
      if (open) {
        editor.tabs.activate(open.id);
        return open.id;
      }
      try {
        const { workflow, etag } = await (how.read ?? editor.api.readWorkflow(path));
        const whole = ready(editor, workflow);
        if (how.template) return editor.tabs.open({ workflow: whole });
        return editor.tabs.open({ workflow: whole, path, etag });
      } catch (error) {
        trouble(`'${path}' cannot be opened`, error);
        return null;
      }
    },
    async openFile(file, name, quiet = false) {
      try {
        get().ui.say(`Reading ${name} ...`);
        const workflow = await get().api.read(file, { name, timeout: PATIENCE });
        openDocument(workflow, plainName(name));
        get().ui.say(`Opened ${name}.`);
        return "opened";
      } catch (error) {
        const problems = error instanceof ApiError ? error.problems : [];
        if (quiet && problems.every((one) => one.code === "no_workflow")) return "no workflow";
        get().ui.show({ kind: "unreadable", name, sentence: sentenceOf(error), problems });
        return "refused";
      }
    },
    async openJob(id) {
      const { api, runs, tabs } = get();
      try {
        const workflow = await api.jobWorkflow(id);
        const tab = openDocument(workflow, runs.getState().jobs[id]?.name ?? "");
        tabs.patch(tab, { job: id });
        await runs.loadJob(id);
      } catch (error) {
        trouble("The workflow of that job cannot be opened", error);
      }
    },
    async openVersion(path, number) {
      try {
        const { workflow } = await get().api.readVersion(path, number);
        openDocument(workflow, `${path}, version ${number}`);
      } catch (error) {
        trouble(`Version ${number} of '${path}' cannot be opened`, error);
      }
    },
    ...savingActions(get, trouble),
  };
  return files;
}
