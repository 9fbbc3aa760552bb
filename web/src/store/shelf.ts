/** The shelf: workflows that the server has, and templates. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { WorkflowInfo } from "../gen/api";
import { type Api, sentenceOf } from "../server/api";

export interface ShelfState {
  readonly workflows: readonly WorkflowInfo[];
  readonly loaded: boolean;
}

export interface ShelfStore extends StoreApi<ShelfState> {
  load(): Promise<void>;
}

export function makeShelf(api: Api, told: (sentence: string) => void): ShelfStore {
  const store = createStore<ShelfState>(() => ({ workflows: [], loaded: false }));
  return {
    ...store,
    async load() {
      try {
        store.setState({ workflows: await api.workflows(), loaded: true });
      } catch (error) {
        told(`The saved workflows cannot be listed: ${sentenceOf(error)}`);
      }
    },
  };
}
