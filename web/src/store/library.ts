/** Library: a store of what nodes there are, and of the files that they can load. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { type Library, makeLibrary } from "../doc/library";
import type { ModelFile } from "../gen/api";
import type { PackFault } from "../gen/nodes";
import type { Api } from "../server/api";
import { sentenceOf } from "../server/errors";
import { again } from "./again";

export interface LibraryState {
  readonly library: Library;
  /** Packs that cannot be used, or not as they are today. */
  readonly faults: readonly PackFault[];
  /** Packs that no worker has read yet. */
  readonly pending: readonly string[];
  /** By kind; a kind that was not asked for is not there. */
  readonly files: Readonly<Record<string, readonly ModelFile[]>>;
  /** Where more files of a kind can be put. */
  readonly folders: Readonly<Record<string, string>>;
  /** Nodes are known. */
  readonly ready: boolean;
  /** Why they cannot be read, as a sentence; empty if they can. */
  readonly trouble: string;
}

export interface LibraryStore extends StoreApi<LibraryState> {
  /** Read the nodes, however long the server is away. */
  load(): Promise<void>;
  /** Packs were read again: ask for nodes, and for the kinds of files that are known. */
  reload(): Promise<void>;
  loadFiles(kind: string): Promise<void>;
}

/**
 * @param told Told, as a sentence, why files cannot be listed.
 */
export function makeLibraryStore(
  api: Api,
  told: (sentence: string) => void = () => {},
): LibraryStore {
  const store = createStore<LibraryState>(() => ({
    library: makeLibrary({}, {}),
    faults: [],
    pending: [],
    files: {},
    folders: {},
    ready: false,
    trouble: "",
  }));
  let etag: string | null = null;
  let turn = 0;
  const turns: Record<string, number> = {};

  const load = async () => {
    turn += 1;
    const mine = turn;
    const isNewest = () => mine === turn;
    const trouble = (error: unknown) => store.setState({ trouble: sentenceOf(error) });
    try {
      const read = await again(() => api.nodes(etag), isNewest, trouble);
      if (!isNewest()) return;
      if (read === null) return store.setState({ trouble: "" });
      etag = read.etag;
      const { nodes, sockets, errors: faults, pending } = read.nodes;
      const library = makeLibrary(nodes, sockets);
      store.setState({ library, faults, pending, ready: true, trouble: "" });
    } catch (error) {
      if (isNewest()) trouble(error);
    }
  };

  const loadFiles = async (kind: string) => {
    const mine = (turns[kind] ?? 0) + 1;
    turns[kind] = mine;
    try {
      const found = (await api.models(kind)).kinds[kind];
      if (!found || turns[kind] !== mine) return;
      store.setState(({ files, folders }) => ({
        files: { ...files, [kind]: found.files },
        folders: { ...folders, [kind]: found.put },
      }));
    } catch (error) {
      if (turns[kind] === mine)
        told(`The files of '${kind}' cannot be listed: ${sentenceOf(error)}`);
    }
  };

  return {
    ...store,
    load,
    async reload() {
      await Promise.all([load(), ...Object.keys(store.getState().files).map(loadFiles)]);
    },
    loadFiles,
  };
}
