/**
 * Settings: a store that follows the server's, so that all windows and computers agree. What could
 * not be sent yet is kept in the browser, and merged into what others have set meanwhile.
 */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { JsonObject } from "../doc/types";
import type { Api, SettingsRead } from "../server/api";
import { ApiError, sentenceOf } from "../server/errors";
import { isPassing } from "./again";
import { isObject, isSame, merge } from "./merge";
import { parseSettings, readSettings, type Settings } from "./settings_values";

export { DEFAULTS, type Settings } from "./settings_values";

export interface SettingsState {
  readonly values: Settings;
  /** They were read from the server, or it cannot be asked. */
  readonly ready: boolean;
  /** They are on the server as they are here. */
  readonly saved: boolean;
  /** Why they are not, as a sentence; empty if they are, or soon will be. */
  readonly trouble: string;
}

export interface SettingsStore extends StoreApi<SettingsState> {
  /** Read them; for the start and for `settings_changed`. */
  load(): Promise<void>;
  set(part: Partial<Settings>): void;
  /** Back to what they are at first; all of them if no names are given. */
  reset(names?: readonly (keyof Settings)[]): void;
  /** Send what was not sent yet, now. */
  flush(): Promise<void>;
  exportText(): string;
  /** Take settings from a text. Gives sentences if that cannot be done, and then changes nothing. */
  importText(text: string): readonly string[];
  close(): void;
}

interface SettingsOptions {
  readonly storage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** Name in the storage. */
  readonly name?: string;
  /** Milliseconds that changes are gathered for. */
  readonly delay?: number;
}

const RETRY = 5000;
const CONFLICTS = 5;

export function makeSettings(api: Api, options: SettingsOptions = {}): SettingsStore {
  return new Kept(api, options).store();
}

class Kept {
  readonly #api: Api;
  readonly #storage: SettingsOptions["storage"];
  readonly #name: string;
  readonly #delay: number;
  readonly #store: StoreApi<SettingsState>;
  /** As the server has them, or had when it was asked last; with all that others keep there. */
  #base: JsonObject = {};
  #etag: string | null = null;
  #mine: JsonObject = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(api: Api, options: SettingsOptions) {
    this.#api = api;
    this.#storage = options.storage === undefined ? browserStorage() : options.storage;
    this.#name = options.name ?? `nodeflow settings ${api.base.pathname}`;
    this.#delay = options.delay ?? 500;
    this.#recall();
    const { values } = readSettings(this.#mine);
    this.#store = createStore(() => ({ values, ready: false, saved: true, trouble: "" }));
  }

  store(): SettingsStore {
    return {
      ...this.#store,
      load: () => this.#inTurn(() => this.#load()),
      set: (part) => this.#change({ ...this.#mine, ...(part as JsonObject) }),
      reset: (names) => {
        const all = Object.keys(this.#store.getState().values);
        const gone = new Set<string>(names ?? all);
        this.#change(without(this.#mine, gone));
      },
      flush: () => this.#flush(),
      exportText: () => `${JSON.stringify(this.#store.getState().values, null, 2)}\n`,
      importText: (text) => {
        const found = parseSettings(text);
        if (!isObject(found)) return found;
        this.#change({ ...this.#mine, ...found });
        return [];
      },
      close: () => {
        this.#closed = true;
        clearTimeout(this.#timer);
      },
    };
  }

  get #isSaved() {
    return isSame(this.#mine, this.#base);
  }

  #change(mine: JsonObject) {
    this.#mine = mine;
    this.#show({});
    if (!this.#isSaved) this.#later(this.#delay);
  }

  #show(part: Partial<SettingsState>) {
    this.#remember();
    const { values, faults } = readSettings(this.#mine);
    const before = this.#store.getState();
    const kept = isSame(before.values as unknown as JsonObject, values as unknown as JsonObject);
    const wrong = faults.length > 0 ? `The settings on the server are wrong: ${faults[0]}` : "";
    this.#store.setState({
      values: kept ? before.values : values,
      saved: this.#isSaved,
      ...part,
      ...(part.trouble === "" ? { trouble: wrong } : {}),
    });
  }

  #later(delay: number) {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.#flush(), delay);
  }

  async #flush() {
    clearTimeout(this.#timer);
    await this.#inTurn(() => this.#save());
  }

  /** Reading and writing never cross. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      if (this.#closed) return;
      this.#show({ ready: true, trouble: sentenceOf(error) });
      if (isPassing(error)) this.#later(RETRY);
    });
    return this.#work;
  }

  async #load() {
    try {
      this.#take(await this.#api.settings());
    } catch (error) {
      // They were damaged on the disk. What is set next is written over them.
      if (error instanceof ApiError && error.status === 409) this.#etag = error.etag;
      throw error;
    }
    if (!this.#isSaved) this.#later(this.#delay);
  }

  /** What the server has, with what was changed here and it does not know of. */
  #take({ settings, etag }: SettingsRead) {
    this.#mine = merge(this.#base, this.#mine, settings);
    this.#base = settings;
    this.#etag = etag;
    this.#show({ ready: true, trouble: "" });
  }

  async #save() {
    if (this.#etag === null) this.#take(await this.#api.settings());
    for (let attempt = 1; !this.#isSaved && this.#etag !== null; attempt += 1) {
      const sent = this.#mine;
      try {
        this.#etag = await this.#api.saveSettings(sent, this.#etag);
        this.#base = sent;
        // What was changed meanwhile has its own timer.
        return this.#show({ ready: true, trouble: "" });
      } catch (error) {
        const overtaken = error instanceof ApiError && error.status === 412;
        if (!overtaken || attempt === CONFLICTS) throw error;
        this.#take(await this.#api.settings());
      }
    }
  }

  #recall() {
    try {
      const kept: unknown = JSON.parse(this.#storage?.getItem(this.#name) ?? "{}");
      if (!isObject(kept) || !isObject(kept.base) || !isObject(kept.mine)) return;
      this.#base = kept.base;
      this.#mine = kept.mine;
    } catch {
      // Damaged, or not to be read: the server has them.
    }
  }

  #remember() {
    try {
      this.#storage?.setItem(this.#name, JSON.stringify({ base: this.#base, mine: this.#mine }));
    } catch {
      // Full or forbidden: as long as the page is open they are here, and the server gets them.
    }
  }
}

function without(record: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.has(name)));
}

/** Some browsers throw when a page may keep nothing. */
function browserStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
