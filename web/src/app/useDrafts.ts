/** Unsaved work is kept in the browser, and what a window that is gone has left is offered again. */

import { useEffect } from "react";
import type { Editor } from "../editor";
import { useEditor } from "../editor";
import { sentenceOf } from "../server/api";
import { draftSaver } from "../server/draft_saver";
import { type Drafts, makeDrafts } from "../server/drafts";
import { type Presence, presence } from "../server/windows";

export function useDrafts(): void {
  const editor = useEditor();
  useEffect(() => {
    let stop = () => {};
    let gone = false;
    begin(editor).then(
      (end) => {
        if (gone) end();
        else stop = end;
      },
      (error) =>
        editor.ui.toast("warning", `Unsaved work is not kept in the browser: ${sentenceOf(error)}`),
    );
    return () => {
      gone = true;
      stop();
    };
  }, [editor]);
}

async function begin(editor: Editor): Promise<() => void> {
  const here = await presence();
  const drafts = makeDrafts({
    window: here.id,
    alive: () => here.alive(),
    onTrouble: (sentence) => editor.ui.toast("warning", sentence),
  });
  const saver = draftSaver(editor.tabs, drafts);
  const unfollow = follow(editor, here);
  void offer(editor, drafts);
  return () => {
    saver.close();
    unfollow();
    here.close();
  };
}

/** Tell other windows which saved workflows are open here, and mark those that they have too. */
function follow({ tabs }: Editor, here: Presence): () => void {
  const open = new Map<string, { path: string; stop: () => void }>();
  const update = () => {
    const present = new Set<string>();
    for (const { id, path } of tabs.getState().tabs) {
      present.add(id);
      const known = open.get(id);
      if (known && known.path !== path) leave(id);
      if (path === null || open.get(id)?.path === path) continue;
      here.opened(path);
      open.set(id, { path, stop: () => {} });
      const stop = here.onElsewhere(path, (elsewhere) => {
        if (tabs.find(id)?.elsewhere !== elsewhere) tabs.patch(id, { elsewhere });
      });
      open.set(id, { path, stop });
    }
    for (const id of [...open.keys()]) if (!present.has(id)) leave(id);
  };
  const leave = (id: string) => {
    const known = open.get(id);
    open.delete(id);
    known?.stop();
    if (known) here.closed(known.path);
  };
  const stop = tabs.subscribe(update);
  update();
  return () => {
    stop();
    for (const id of [...open.keys()]) leave(id);
  };
}

/** Ask about what a window that is no more has left. */
async function offer({ tabs, questions }: Editor, drafts: Drafts): Promise<void> {
  const left = await drafts.lost();
  if (left.length === 0) return;
  const names = left.map((draft) => draft.name || draft.path || "Untitled").join(", ");
  const yes = await questions.ask({
    title:
      left.length === 1 ? "Restore unsaved work?" : `Restore ${left.length} unsaved workflows?`,
    description: `A window ended before this was saved: ${names}.`,
    action: "Restore",
    cancel: "Discard",
  });
  for (const draft of left) {
    const { workflow, path, etag, scope } = draft;
    if (yes) tabs.open({ workflow, path, etag, scope, saved: null });
    await drafts.discard(draft);
  }
}
