/** Unsaved work is kept in the browser, and what a killed window has left is offered again. */

import { useEffect } from "react";
import type { Editor } from "../editor";
import { useEditor } from "../editor";
import { type Draft, makeDrafts } from "../server/drafts";
import { makePresence } from "../server/presence";
import { isUnsaved, type Tab, workflowOf } from "../store/tabs";

/** Milliseconds after an edit; a burst of edits is written at least this often too. */
const DELAY = 400;

export function useDrafts(): void {
  const editor = useEditor();
  useEffect(() => keepDrafts(editor), [editor]);
}

function keepDrafts(editor: Editor): () => void {
  const { tabs, ui } = editor;
  const drafts = makeDrafts((sentence) => ui.toast("warning", sentence));
  const written = new Map<string, Tab["history"]["now"]>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const idOf = (tab: Tab) => `${drafts.window}/${tab.id}`;
  const write = () => {
    timer = null;
    const changed: Draft[] = [];
    const present = new Set<string>();
    for (const tab of tabs.getState().tabs) {
      const workflow = workflowOf(tab);
      if (!isUnsaved(tab) || tab.history.past.length === 0) continue;
      present.add(idOf(tab));
      if (written.get(idOf(tab)) === workflow) continue;
      written.set(idOf(tab), workflow);
      const { path, etag } = tab;
      const time = Date.now();
      changed.push({ id: idOf(tab), window: drafts.window, path, etag, workflow, time });
    }
    const gone = [...written.keys()].filter((id) => !present.has(id));
    for (const id of gone) written.delete(id);
    if (changed.length > 0 || gone.length > 0) void drafts.put(changed, gone);
  };
  let others: ReadonlySet<string> = new Set();
  const mark = () => {
    for (const tab of tabs.getState().tabs) {
      const elsewhere = tab.path !== null && others.has(tab.path);
      if (elsewhere !== tab.elsewhere) tabs.patch(tab.id, { elsewhere });
    }
  };
  const presence = makePresence(drafts.window, (elsewhere) => {
    others = elsewhere;
    mark();
  });
  let told = "";
  const stop = tabs.subscribe((state) => {
    timer ??= setTimeout(write, DELAY);
    const paths = state.tabs.flatMap((tab) => tab.path ?? []);
    if (paths.join("\n") === told) return;
    told = paths.join("\n");
    presence.tell(paths);
    mark();
  });
  const flush = () => write();
  document.addEventListener("visibilitychange", flush);
  window.addEventListener("pagehide", flush);
  void offer(editor, drafts);
  return () => {
    stop();
    presence.close();
    document.removeEventListener("visibilitychange", flush);
    window.removeEventListener("pagehide", flush);
    if (timer !== null) clearTimeout(timer);
  };
}

/** Ask about what a window that is no more has left. */
async function offer(editor: Editor, drafts: ReturnType<typeof makeDrafts>): Promise<void> {
  const left = await drafts.left();
  if (left.length === 0) return;
  const names = left.map((draft) => draft.workflow.name || draft.path || "Untitled").join(", ");
  const yes = await editor.questions.ask({
    title:
      left.length === 1 ? "Restore unsaved work?" : `Restore ${left.length} unsaved workflows?`,
    description: `A window ended before this was saved: ${names}.`,
    action: "Restore",
    cancel: "Discard",
  });
  for (const draft of left) {
    if (yes) {
      const { workflow, path, etag } = draft;
      editor.tabs.open({ workflow, path, etag, saved: null });
    }
    await drafts.remove(draft.id);
  }
}
