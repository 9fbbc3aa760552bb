/** What is done with workflows that are saved on the server. */

import type { Editor } from "../editor";
import type { WorkflowInfo } from "../gen/api";
import { ApiError, sentenceOf } from "../server/api";

export interface ShelfActions {
  /** Delete a saved workflow, after asking. */
  remove(info: WorkflowInfo): Promise<void>;
  /** Give it another name; gives why that cannot be, or null. Tabs that have it open follow. */
  rename(info: WorkflowInfo, path: string): Promise<string | null>;
}

export function makeShelfActions(get: () => Editor): ShelfActions {
  return {
    async remove(info) {
      const { api, questions, shelf, tabs, ui } = get();
      const yes = await questions.ask({
        title: `Delete the workflow ${info.path}?`,
        description: "Its versions can still be opened by their address.",
        action: "Delete",
        danger: true,
      });
      if (!yes) return;
      try {
        await api.deleteWorkflow(info.path, info.etag);
        for (const tab of tabs.getState().tabs) {
          // What is open stays, as a workflow that is not saved.
          if (tab.path === info.path) tabs.patch(tab.id, { path: null, etag: null, saved: null });
        }
        ui.say(`'${info.path}' is deleted.`);
        await shelf.load();
      } catch (error) {
        ui.toast("error", `'${info.path}' is not deleted: ${sentenceOf(error)}`);
      }
    },
    async rename(info, path) {
      const { api, shelf, tabs, ui } = get();
      try {
        const { workflow, etag } = await api.readWorkflow(info.path);
        const saved = await api.saveWorkflow(path, workflow, null);
        // From here on the tabs save under the new name, whatever becomes of the old one. One that
        // has not seen the newest version keeps its own mark, so that it writes nothing over unseen.
        for (const tab of tabs.getState().tabs) {
          if (tab.path !== info.path) continue;
          tabs.patch(tab.id, { path: saved.path, etag: tab.etag === etag ? saved.etag : tab.etag });
        }
        await api.deleteWorkflow(info.path, etag);
        ui.say(`'${info.path}' is '${saved.path}' now.`);
        return null;
      } catch (error) {
        const taken = error instanceof ApiError && error.status === 412;
        return taken ? `There is a workflow '${path}' already.` : sentenceOf(error);
      } finally {
        await shelf.load();
      }
    },
  };
}
