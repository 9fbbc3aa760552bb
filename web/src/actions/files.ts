/** Opening, saving and closing workflows. */

import { ensureLayout } from "../doc/layout_defaults";
import { canonical, parseWorkflow } from "../doc/parse";
import { withTodaysNames } from "../doc/todays_names";
import { EMPTY_WORKFLOW, type Workflow } from "../doc/types";
import type { Editor } from "../editor";
import { ApiError, sentenceOf, type WorkflowRead } from "../server/api";
import { isUnsaved, type Tab, workflowOf } from "../store/tabs";

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

/** No server runs more nodes in one workflow, and the page would stand still over them. */
const MOST_NODES = 50_000;

/** A document from anywhere as the editor has it: whole, in today's names, every node with a place. */
function ready(editor: Editor, workflow: Workflow): Workflow {
  const { library } = editor.library.getState();
  const graphs = [workflow, ...Object.values(workflow.groups)];
  const count = graphs.reduce((sum, graph) => sum + Object.keys(graph.nodes).length, 0);
  if (count > MOST_NODES) {
    const [has, most] = [count.toLocaleString("en"), MOST_NODES.toLocaleString("en")];
    throw new Error(`It has ${has} nodes, and ${most} is the limit; take it apart.`);
  }
  return ensureLayout(withTodaysNames(parseWorkflow(workflow), library), library);
}

/** Milliseconds; a large file takes its time. */
const PATIENCE = 120_000;

const plainName = (name: string): string =>
  name
    .replace(/\.[^.]*$/, "")
    .split("/")
    .at(-1) ?? name;

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
    ...saving(get, trouble),
  };
  return files;
}

type Trouble = (what: string, error: unknown) => void;

function saving(
  get: () => Editor,
  trouble: Trouble,
): Pick<FileActions, "save" | "saveAs" | "reload" | "close" | "download"> {
  const write = async (tab: Tab, path: string, etag: string | null): Promise<boolean> => {
    const { api, tabs, ui } = get();
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
  };
  const current = async (path: string): Promise<string | null> => {
    try {
      return (await get().api.readWorkflow(path)).etag;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  };
  return {
    async save(tab = get().tabs.current()) {
      if (!tab) return false;
      if (tab.path !== null) return write(tab, tab.path, tab.etag);
      get().ui.show({ kind: "save-as", tab: tab.id });
      return false;
    },
    async saveAs(tab, path, overwrite = false) {
      try {
        return await write(tab, path, overwrite ? await current(path) : null);
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
    download(tab) {
      const workflow = workflowOf(tab);
      const url = URL.createObjectURL(
        new Blob([canonical(workflow)], { type: "application/json" }),
      );
      const link = document.createElement("a");
      link.href = url;
      link.download = `${plainName(tab.path ?? "") || workflow.name || "workflow"}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    },
  };
}
