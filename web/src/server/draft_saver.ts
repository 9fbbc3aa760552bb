/** Draft saver: keeps a draft of every tab that has unsaved work, soon after each edit. */

import type { Scope } from "../doc/scope";
import type { Workflow } from "../doc/types";
import type { Drafts, NewDraft } from "./drafts";
import { type Page, realPage } from "./page";

/** What it must know of a tab. */
export interface DraftTab {
  readonly id: string;
  readonly path: string | null;
  readonly etag: string | null;
  readonly history: { readonly now: Workflow };
  /** The document as the file has it. */
  readonly saved: Workflow | null;
  readonly scope: Scope;
}

interface TabsSource {
  getState(): { readonly tabs: readonly DraftTab[] };
  subscribe(call: () => void): () => void;
}

interface DraftSaver {
  /** Keep all that was not kept yet. */
  flush(): Promise<void>;
  close(): void;
}

/** Milliseconds from an edit until it is kept at the latest, however many follow. */
const LONGEST = 800;
const RETRY = 5000;

/**
 * @param delay Milliseconds without an edit after which a draft is kept.
 */
export function draftSaver(
  tabs: TabsSource,
  drafts: Drafts,
  delay = 500,
  page: Page = realPage,
): DraftSaver {
  /** The document of each tab that has a draft, as it was kept. */
  const kept = new Map<string, Workflow>();
  const timers = new Map<string, { timer: ReturnType<typeof setTimeout>; since: number }>();

  const open = () => tabs.getState().tabs;
  const isDue = (tab: DraftTab) =>
    tab.saved !== tab.history.now && kept.get(tab.id) !== tab.history.now;

  const rest = (id: string) => {
    clearTimeout(timers.get(id)?.timer);
    timers.delete(id);
  };
  const schedule = (id: string, pause: number) => {
    const since = timers.get(id)?.since ?? Date.now();
    clearTimeout(timers.get(id)?.timer);
    const left = Math.min(pause, Math.max(0, since + Math.max(LONGEST, pause) - Date.now()));
    timers.set(id, { timer: setTimeout(() => void keep(id), left), since });
  };
  const keep = async (id: string): Promise<void> => {
    rest(id);
    const tab = open().find((one) => one.id === id);
    if (!tab || !isDue(tab)) return;
    const document = tab.history.now;
    kept.set(id, document);
    if (await drafts.put(id, draftOf(tab))) {
      // It may have been saved or closed while it was written.
      const now = open().find((one) => one.id === id);
      if (!now || now.saved === now.history.now) await forget(id);
      return;
    }
    if (kept.get(id) === document) kept.delete(id);
    if (!timers.has(id)) schedule(id, RETRY);
  };
  const forget = async (id: string): Promise<void> => {
    rest(id);
    kept.delete(id);
    await drafts.remove(id);
  };

  let seen: readonly DraftTab[] = [];
  const look = () => {
    const before = seen;
    seen = open();
    for (const tab of seen) {
      const was = before.find((one) => one.id === tab.id);
      if (was?.history.now === tab.history.now && was.saved === tab.saved) continue;
      if (isDue(tab)) schedule(tab.id, delay);
      else if (tab.saved === tab.history.now && (kept.has(tab.id) || timers.has(tab.id))) {
        void forget(tab.id);
      }
    }
    for (const { id } of before) {
      const closed = !seen.some((tab) => tab.id === id);
      if (closed && (kept.has(id) || timers.has(id))) void forget(id);
    }
  };
  const leave = () => {
    for (const tab of open()) {
      if (!isDue(tab)) continue;
      rest(tab.id);
      drafts.putNow(tab.id, draftOf(tab));
      kept.set(tab.id, tab.history.now);
    }
  };

  const stops = [tabs.subscribe(look), page.onLeave(leave)];
  look();
  return {
    async flush() {
      await Promise.all(open().map((tab) => keep(tab.id)));
    },
    close() {
      for (const stop of stops) stop();
      for (const id of [...timers.keys()]) rest(id);
    },
  };
}

const draftOf = (tab: DraftTab): NewDraft => ({
  path: tab.path,
  etag: tab.etag,
  name: tab.history.now.name,
  workflow: tab.history.now,
  scope: tab.scope,
  time: Date.now(),
});
