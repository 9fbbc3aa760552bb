/**
 * Windows: those of this browser that have the same editor open know of each other: which saved
 * workflow is open where, and which windows are still there.
 */

import { newKey } from "./keys";

export interface Presence {
  /** Of this window; the same after a reload. */
  readonly id: string;
  opened(path: string): void;
  closed(path: string): void;
  /** Told now, and whenever it changes, whether another window has a workflow open. */
  onElsewhere(path: string, told: (elsewhere: boolean) => void): () => void;
  /** Windows that are there, this one too. */
  alive(): Promise<ReadonlySet<string>>;
  close(): void;
}

/** What windows tell each other. `who` asks all others to tell what they have open. */
type Message =
  | { readonly kind: "who"; readonly window: string }
  | { readonly kind: "here"; readonly window: string; readonly paths: readonly string[] }
  | { readonly kind: "gone"; readonly window: string };

export interface Channel {
  onmessage: ((message: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

interface Surroundings {
  /** Stands before all names, so that two editors of one origin stay apart. */
  readonly name?: string;
  readonly session?: Pick<Storage, "getItem" | "setItem"> | null;
  /** Only pages that came by TLS, or from this machine, have locks. */
  readonly locks?: LockManager | null;
  readonly channel?: Channel | null;
}

/** Milliseconds. */
const RELEASE = 400;
const ROLL_CALL = 200;

/** Make this window known to the others. */
export async function presence(surroundings: Surroundings = {}): Promise<Presence> {
  const name = surroundings.name ?? `nodeflow ${new URL(".", document.baseURI).pathname}`;
  const session = surroundings.session === undefined ? sessionOf() : surroundings.session;
  const locks = surroundings.locks === undefined ? (navigator.locks ?? null) : surroundings.locks;
  const channel =
    surroundings.channel === undefined ? new BroadcastChannel(name) : surroundings.channel;
  const { id, release } = await identify(name, session, locks);
  return new Windows(id, `${name} window `, locks, channel, release).presence();
}

/** An id that no other window holds. A window that was duplicated finds that of the first. */
async function identify(
  name: string,
  session: Surroundings["session"],
  locks: LockManager | null,
): Promise<{ id: string; release: () => void }> {
  let id = session?.getItem(name) || newKey();
  let release = locks ? await hold(locks, `${name} window ${id}`) : () => {};
  if (release === null) {
    id = newKey();
    release = locks ? await hold(locks, `${name} window ${id}`) : null;
  }
  try {
    session?.setItem(name, id);
  } catch {
    // No room: after a reload this is another window, whose unsaved work is offered to it.
  }
  return { id, release: release ?? (() => {}) };
}

/** Hold a lock until the window ends, or is released; null if another window holds it. */
function hold(locks: LockManager, name: string): Promise<(() => void) | null> {
  return new Promise((held) => {
    // The page that was here before a reload may need a moment to let go of it.
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), RELEASE);
    const keep = () =>
      new Promise<void>((release) => {
        clearTimeout(timer);
        held(release);
      });
    locks.request(name, { signal: patience.signal }, keep).catch(() => held(null));
  });
}

function sessionOf(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // the browser lets pages keep nothing
  }
}

class Windows {
  readonly #id: string;
  readonly #prefix: string;
  readonly #locks: LockManager | null;
  readonly #channel: Channel | null;
  readonly #release: () => void;
  /** How many tabs of this window show a workflow. */
  readonly #mine = new Map<string, number>();
  readonly #others = new Map<string, ReadonlySet<string>>();
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[] = [];

  constructor(
    id: string,
    prefix: string,
    locks: LockManager | null,
    channel: Channel | null,
    release: () => void,
  ) {
    this.#id = id;
    this.#prefix = prefix;
    this.#locks = locks;
    this.#channel = channel;
    this.#release = release;
    if (channel) channel.onmessage = ({ data }) => this.#hear(data as Message);
    this.#listen("pagehide", () => this.#say({ kind: "gone", window: id }));
    this.#listen("pageshow", () => this.#begin());
    // A window that crashed has said nothing.
    this.#listen("focus", () => void this.#sweep());
    this.#begin();
  }

  presence(): Presence {
    return {
      id: this.#id,
      opened: (path) => {
        this.#mine.set(path, (this.#mine.get(path) ?? 0) + 1);
        this.#tell();
      },
      closed: (path) => {
        const left = (this.#mine.get(path) ?? 0) - 1;
        if (left > 0) this.#mine.set(path, left);
        else this.#mine.delete(path);
        this.#tell();
      },
      onElsewhere: (path, told) => this.#onElsewhere(path, told),
      alive: () => this.#alive(),
      close: () => {
        this.#say({ kind: "gone", window: this.#id });
        this.#channel?.close();
        for (const stop of this.#stops) stop();
        this.#release();
      },
    };
  }

  #begin() {
    this.#say({ kind: "who", window: this.#id });
    this.#tell();
  }

  #hear(message: Message) {
    if (message.window === this.#id) return;
    if (message.kind === "who") return this.#tell();
    if (message.kind === "gone") this.#others.delete(message.window);
    else this.#others.set(message.window, new Set(message.paths));
    this.#changed();
  }

  #tell() {
    this.#say({ kind: "here", window: this.#id, paths: [...this.#mine.keys()] });
  }

  #say(message: Message) {
    this.#channel?.postMessage(message);
  }

  #changed() {
    for (const listener of [...this.#listeners]) listener();
  }

  #onElsewhere(path: string, told: (elsewhere: boolean) => void): () => void {
    let known: boolean | null = null;
    const look = () => {
      const elsewhere = [...this.#others.values()].some((paths) => paths.has(path));
      if (elsewhere !== known) told(elsewhere);
      known = elsewhere;
    };
    this.#listeners.add(look);
    look();
    return () => this.#listeners.delete(look);
  }

  async #alive(): Promise<ReadonlySet<string>> {
    if (this.#locks === null) {
      // Whoever answers is there.
      this.#others.clear();
      this.#say({ kind: "who", window: this.#id });
      await new Promise((done) => setTimeout(done, ROLL_CALL));
      this.#changed();
      return new Set([this.#id, ...this.#others.keys()]);
    }
    const { held = [] } = await this.#locks.query();
    const names = held.map((lock) => lock.name ?? "");
    const ours = names.filter((name) => name.startsWith(this.#prefix));
    return new Set([this.#id, ...ours.map((name) => name.slice(this.#prefix.length))]);
  }

  async #sweep() {
    if (this.#others.size === 0) return;
    const alive = await this.#alive();
    for (const id of [...this.#others.keys()]) if (!alive.has(id)) this.#others.delete(id);
    this.#changed();
  }

  #listen(name: string, call: () => void) {
    if (typeof window === "undefined") return;
    window.addEventListener(name, call);
    this.#stops.push(() => window.removeEventListener(name, call));
  }
}
