/** Copies of what is selected: to the clipboard, from it, and beside the original. */

import { copy, duplicate, paste } from "../doc/clipboard";
import type { Editor } from "../editor";
import { workflowOf } from "../store/tabs";
import type { NodeActions } from "./nodes";

/** Pixels by which a copy lies beside its original. */
const ASIDE = 40;

export function clipboardActions(
  get: () => Editor,
  remove: () => void,
): Pick<NodeActions, "copy" | "cut" | "paste" | "duplicate"> {
  const copySelection = async () => {
    const tab = get().tabs.current();
    if (!tab || tab.selection.size === 0) return;
    await write(get(), copy(workflowOf(tab), tab.scope, tab.selection));
  };
  return {
    copy: copySelection,
    async cut() {
      await copySelection();
      remove();
    },
    paste(text, keepOuter) {
      const { tabs, canvas } = get();
      const tab = tabs.current();
      if (!tab) return false;
      const made = paste(workflowOf(tab), tab.scope, text, canvas.pointer(), { keepOuter });
      if (!made) return false;
      tabs.edit(() => made.workflow);
      tabs.select(made.items);
      return true;
    },
    duplicate() {
      const { tabs } = get();
      const tab = tabs.current();
      if (!tab || tab.selection.size === 0) return;
      const made = duplicate(workflowOf(tab), tab.scope, tab.selection, [ASIDE, ASIDE], true);
      tabs.edit(() => made.workflow);
      tabs.select(made.items);
    },
  };
}

async function write(editor: Editor, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    editor.ui.say("Copied.");
  } catch {
    editor.ui.toast(
      "error",
      "The browser does not let this page write to the clipboard; allow it for this site.",
    );
  }
}
