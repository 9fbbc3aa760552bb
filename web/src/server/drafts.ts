/**
 * Drafts: what is edited in this browser, kept until it is saved. A tab that is killed loses at
 * most what was typed in its last second.
 */

import type { Workflow } from "../doc/types";

export interface Draft {
  readonly id: string;
  /** The window that it belongs to; it holds a lock of this name as long as it lives. */
  readonly window: string;
  readonly path: string | null;
  readonly etag: string | null;
  readonly workflow: Workflow;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface Drafts {
  readonly window: string;
  put(drafts: readonly Draft[], gone: readonly string[]): Promise<void>;
  remove(id: string): Promise<void>;
  /** Drafts of windows that are no more, the newest first. */
  left(): Promise<readonly Draft[]>;
}

const STORE = "drafts";

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser gave no reason"));
  });

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open("nodeflow", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  return settled(request);
}

const done = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the storage is full"));
    transaction.onerror = () => reject(transaction.error ?? new Error("the storage is full"));
  });

const lockName = (window: string): string => `nodeflow-window-${window}`;

/** Windows that live hold their lock; where there are no locks, only this one is known to. */
async function alive(own: string): Promise<ReadonlySet<string>> {
  const held = (await navigator.locks?.query())?.held ?? [];
  return new Set([lockName(own), ...held.map((lock) => lock.name ?? "")]);
}

/** @param told Told once, as a sentence, if drafts cannot be kept; it is tried again all the same. */
export function makeDrafts(told: (sentence: string) => void): Drafts {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const window = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // Held until the window ends; the browser lets go of it even if it is killed.
  void navigator.locks?.request(lockName(window), () => new Promise<never>(() => undefined));
  const database = opened();
  let warned = false;
  const trouble = (error: unknown) => {
    if (warned) return;
    warned = true;
    const reason = error instanceof Error ? error.message : String(error);
    told(`This browser keeps no drafts (${reason}); save often, or free some of its storage.`);
  };
  return {
    window,
    async put(drafts, gone) {
      try {
        const transaction = (await database).transaction(STORE, "readwrite");
        const store = transaction.objectStore(STORE);
        for (const draft of drafts) store.put(draft);
        for (const id of gone) store.delete(id);
        await done(transaction);
        warned = false;
      } catch (error) {
        trouble(error);
      }
    },
    async remove(id) {
      try {
        const transaction = (await database).transaction(STORE, "readwrite");
        transaction.objectStore(STORE).delete(id);
        await done(transaction);
      } catch (error) {
        trouble(error);
      }
    },
    async left() {
      try {
        const all: Draft[] = await settled(
          (await database).transaction(STORE).objectStore(STORE).getAll(),
        );
        const living = await alive(window);
        return all
          .filter((draft) => !living.has(lockName(draft.window)))
          .sort((a, b) => b.time - a.time);
      } catch (error) {
        trouble(error);
        return [];
      }
    },
  };
}
