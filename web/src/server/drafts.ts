/**
 * Drafts: unsaved work, kept in the browser while it is done, so that neither a crash nor a closed
 * tab loses it.
 */

import type { Scope } from "../doc/scope";
import type { Workflow } from "../doc/types";
import { indexedShelf, type Shelf } from "./indexed";
import { newKey } from "./keys";

export interface Draft {
  /** Where it was written. A window that is loaded again is another page, whose tabs begin anew. */
  readonly window: string;
  readonly page: string;
  readonly tab: string;
  /** Saved workflow that it began with; null if it was never saved. */
  readonly path: string | null;
  /** Tag of the text that it began with: another one on the server means two who wrote. */
  readonly etag: string | null;
  readonly name: string;
  readonly workflow: Workflow;
  readonly scope: Scope;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export type NewDraft = Omit<Draft, "window" | "page" | "tab">;

export interface Drafts {
  /** Keep a draft; false if the browser did not take it, which `onTrouble` was told of. */
  put(tab: string, draft: NewDraft): Promise<boolean>;
  /** Keep what fits at once, for a page that may end before anything else is done. */
  putNow(tab: string, draft: NewDraft): void;
  remove(tab: string): Promise<void>;
  /** Of all windows, the newest first. */
  all(): Promise<readonly Draft[]>;
  /** Those that nobody has open: of windows that are gone, and of this one before a reload. */
  lost(): Promise<readonly Draft[]>;
  /** Somebody has decided about a draft of `lost`. */
  discard(draft: Draft): Promise<void>;
}

interface DraftsOptions {
  /** Id of this window. */
  readonly window: string;
  readonly alive: () => Promise<ReadonlySet<string>>;
  readonly onTrouble: (sentence: string) => void;
  readonly name?: string;
  readonly shelf?: Shelf<Draft>;
  readonly storage?: Storage | null;
}

/** Characters that are kept in `localStorage`, which has few and makes the page wait. */
const SMALL = 500_000;

export function makeDrafts(options: DraftsOptions): Drafts {
  const name = options.name ?? `nodeflow ${new URL(".", document.baseURI).pathname}`;
  const shelf = options.shelf ?? indexedShelf<Draft>(`${name} drafts`, globalThis.indexedDB);
  const spare = spareShelf(`${name} draft `, options.storage);
  const page = newKey();
  const whole = (tab: string, draft: NewDraft) => ({ ...draft, window: options.window, page, tab });
  const keyOf = (draft: Pick<Draft, "window" | "page" | "tab">) =>
    `${draft.window} ${draft.page} ${draft.tab}`;
  let troubled = false;

  const keep = async (draft: Draft): Promise<boolean> => {
    const key = keyOf(draft);
    try {
      await shelf.put(key, draft);
      spare.remove(key, draft.time);
      troubled = false;
      return true;
    } catch (error) {
      if (spare.put(key, draft)) return true;
      if (!troubled) options.onTrouble(sentenceFor(error));
      troubled = true;
      return false;
    }
  };
  const remove = async (key: string): Promise<void> => {
    spare.remove(key);
    // If it cannot be removed, a draft too many is offered; that is better than one too few.
    await shelf.remove(key).catch(() => {});
  };
  const all = async (): Promise<readonly Draft[]> => {
    const kept = await shelf.all().catch(() => []);
    const newest = new Map<string, Draft>();
    for (const draft of [...kept, ...spare.all()]) {
      const other = newest.get(keyOf(draft));
      if (!other || other.time <= draft.time) newest.set(keyOf(draft), draft);
    }
    return [...newest.values()].sort((a, b) => b.time - a.time);
  };

  return {
    put: (tab, draft) => keep(whole(tab, draft)),
    putNow(tab, draft) {
      const one = whole(tab, draft);
      spare.put(keyOf(one), one);
      void keep(one);
    },
    remove: (tab) => remove(keyOf({ window: options.window, page, tab })),
    all,
    async lost() {
      const [drafts, alive] = await Promise.all([all(), options.alive()]);
      return drafts.filter((draft) =>
        draft.window === options.window ? draft.page !== page : !alive.has(draft.window),
      );
    },
    discard: (draft) => remove(keyOf(draft)),
  };
}

function sentenceFor(error: unknown): string {
  const full = error instanceof Error && error.name === "QuotaExceededError";
  const reason = error instanceof Error ? error.message : String(error);
  return full
    ? "The browser has no room for unsaved work; save it, since a crash would lose it."
    : `The browser does not keep unsaved work (${reason}); save it, since a crash would lose it.`;
}

/** Drafts in `localStorage`: less room, but kept before a page can end. */
function spareShelf(prefix: string, given: Storage | null | undefined) {
  const times = new Map<string, number>();
  const storage = () => (given === undefined ? globalThis.localStorage : given);
  /** Some browsers throw when a page may keep nothing, or when there is no room. */
  const attempt = <T>(work: (storage: Storage) => T, otherwise: T): T => {
    try {
      const found = storage();
      return found ? work(found) : otherwise;
    } catch {
      return otherwise;
    }
  };
  return {
    put(key: string, draft: Draft): boolean {
      return attempt((items) => {
        const text = JSON.stringify(draft);
        if (text.length > SMALL) return false;
        items.setItem(prefix + key, text);
        times.set(key, draft.time);
        return true;
      }, false);
    },
    /** Unless what is kept is newer than `time`. */
    remove(key: string, time = Number.POSITIVE_INFINITY): void {
      if ((times.get(key) ?? 0) > time) return;
      attempt((items) => items.removeItem(prefix + key), undefined);
    },
    all(): Draft[] {
      return attempt((items) => {
        const keys = Array.from({ length: items.length }, (_, at) => items.key(at) ?? "");
        const ours = keys.filter((key) => key.startsWith(prefix));
        return ours.flatMap((key) => readDraft(items.getItem(key)));
      }, []);
    },
  };
}

function readDraft(text: string | null): Draft[] {
  try {
    return text === null ? [] : [JSON.parse(text) as Draft];
  } catch {
    return []; // half written by a browser that crashed; the other shelf has an older one
  }
}
