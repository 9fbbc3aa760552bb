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
      const { api, questions, shelf, ui } = get();
      const yes = await questions.ask({
        title: `Delete the workflow ${info.path}?`,
        description: "Its versions can still be opened by their address.",
        action: "Delete",
        danger: true,
      });
      if (!yes) return;
      try {
        await api.deleteWorkflow(info.path, info.etag);
        ui.say(`'${info.path}' is deleted.`);
        await shelf.load();
      } catch (error) {
        ui.toast("error", `'${info.path}' is not deleted: ${sentenceOf(error)}`);
      }
    },
    async rename(info, path) {
      const { api, shelf, tabs, ui } = get();
      try {
        const { workflow } = await api.readWorkflow(info.path);
        const saved = await api.saveWorkflow(path, workflow, null);
        // From here on the tabs save under the new name, whatever becomes of the old one.
        for (const tab of tabs.getState().tabs) {
          if (tab.path === info.path) tabs.patch(tab.id, { path: saved.path, etag: saved.etag });
        }
        await api.deleteWorkflow(info.path, info.etag);
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
