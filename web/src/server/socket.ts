/**
 * Watch what happens on the server: one WebSocket that comes back after every loss and goes on
 * behind the last event that it had.
 *
 * A network that is cut tells nobody, and the server's pings are not shown to pages. So a socket
 * that was silent for a while is replaced: a second one is opened behind the last event, and takes
 * over with its first frame. If that does not come, the server is gone. Nothing is missed and
 * nothing is told twice either way, because events are numbered.
 */

import { type Batches, makeBatches, type OnBatch } from "./batches";
import { readFrame, readPreview, seqOf } from "./messages";
import { noPage, type Page, realPage } from "./page";

export interface Connection {
  readonly state: "connecting" | "online" | "offline";
  /** Milliseconds since 1970. */
  readonly since: number;
}

interface Watching {
  readonly base: URL;
  readonly onBatch: OnBatch;
  /** Jobs have to be fetched anew: this is the first connection, or events are missing. */
  readonly onReset: () => void;
  readonly onState: (connection: Connection) => void;
  /** A message that makes no sense; what it said is lost. */
  readonly onTrouble?: (sentence: string) => void;
  readonly previews?: boolean;
  readonly open?: (url: string) => WebSocket;
  readonly page?: Page;
}

export interface Watch {
  /** Do not wait for the next attempt; gives whether the server was there. */
  tryNow(): Promise<boolean>;
  close(): void;
}

/** Milliseconds. */
const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5000;
const HANDSHAKE = 5000;
const SILENCE = 15_000;
/** Somebody who comes back to the page wants to know at once whether it is still true. */
const SHORT_SILENCE = 2000;

/** A socket that was opened; `after` is what it goes on behind. */
interface Line {
  readonly socket: WebSocket;
  readonly after: number | null;
  readonly opened: number;
}

export function watch(options: Watching): Watch {
  const page = options.page ?? (typeof document === "undefined" ? noPage : realPage);
  const line = new Watcher(options, makeBatches(options.onBatch, page));
  const noWake = page.onWake(() => line.wake());
  line.begin();
  return {
    tryNow: () => line.tryNow(),
    close() {
      noWake();
      line.close();
    },
  };
}

class Watcher {
  readonly #options: Watching;
  readonly #batches: Batches;
  /** What is listened to, and what is to take its place. */
  #present: Line | null = null;
  #next: Line | null = null;
  #last: number | null = null;
  #heard = 0;
  #failures = 0;
  #state: Connection["state"] | null = null;
  #closed = false;
  /** Who wants to know what came of the next attempt. */
  #curious: ((there: boolean) => void)[] = [];
  /** One of: give up the handshake, try again, ask a silent server. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: Watching, batches: Batches) {
    this.#options = options;
    this.#batches = batches;
  }

  /** Open a socket that takes over from the present one, if there is one. */
  begin() {
    if (this.#closed || this.#next !== null) return;
    if (this.#state === null) this.#become("connecting");
    const after = this.#last;
    const open = this.#options.open ?? ((url: string) => new WebSocket(url));
    let socket: WebSocket;
    try {
      socket = open(this.#address(after));
    } catch {
      return this.#lost(null); // a page that may not open sockets now, such as one that is frozen
    }
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => this.#hear(socket, message.data);
    socket.onclose = () => this.#lost(socket);
    this.#next = { socket, after, opened: Date.now() };
    this.#wait(HANDSHAKE, () => this.#lost(socket));
  }

  /** Something may have changed while nobody looked. */
  wake() {
    if (this.#next !== null) return;
    if (this.#present === null || Date.now() - this.#heard > SHORT_SILENCE) this.begin();
  }

  tryNow(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    this.#failures = 0;
    return new Promise((tell) => {
      this.#curious.push(tell);
      this.begin(); // does nothing if an attempt is on its way already
    });
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#tell(false);
    this.#batches.drop();
    for (const line of [this.#present, this.#next]) if (line !== null) hangUp(line.socket);
    this.#present = this.#next = null;
  }

  #address(after: number | null): string {
    const url = new URL("api/events", this.#options.base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (after !== null) url.searchParams.set("after", String(after));
    if (this.#options.previews ?? true) url.searchParams.set("previews", "1");
    return url.href;
  }

  #hear(socket: WebSocket, data: unknown) {
    if (socket === this.#next?.socket) this.#takeOver(this.#next);
    if (socket !== this.#present?.socket) return;
    this.#heard = Date.now();
    if (this.#next === null) this.#listen();
    try {
      if (typeof data === "string") this.#read(data, this.#present);
      else if (data instanceof ArrayBuffer) this.#batches.preview(readPreview(data));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onTrouble?.(`The server said something that cannot be read: ${reason}.`);
    }
  }

  #takeOver(next: Line) {
    if (this.#present !== null) hangUp(this.#present.socket);
    this.#present = next;
    this.#next = null;
    this.#failures = 0;
    this.#become("online");
    this.#tell(true);
  }

  #read(text: string, line: Line) {
    const { events, after, last, gap } = readFrame(text);
    if (last !== undefined && last !== null && after !== undefined) {
      // Only the first frame has these. What it says to be missing is in the jobs as they are.
      if (line.after === null || gap || last < line.after) {
        this.#last = last;
        this.#batches.drop();
        this.#options.onReset();
      }
    }
    const known = this.#last ?? 0;
    const fresh = events.filter((event) => seqOf(event) === 0 || seqOf(event) > known);
    for (const event of fresh) this.#last = Math.max(this.#last ?? 0, seqOf(event));
    this.#batches.add(fresh);
  }

  /** A socket ended, or did not come to be. */
  #lost(socket: WebSocket | null) {
    if (this.#closed) return;
    const next = this.#next;
    if (socket === null || socket === next?.socket) {
      if (next !== null) hangUp(next.socket);
      this.#next = null;
      this.#tell(false);
      // Whoever takes no new socket is not there for the old one either, unless it has just spoken.
      if (this.#present !== null && this.#heard > (next?.opened ?? 0)) return this.#listen();
    } else if (socket !== this.#present?.socket) {
      return;
    }
    if (this.#present !== null) hangUp(this.#present.socket);
    this.#present = null;
    this.#become("offline");
    if (this.#next === null) this.#retry();
  }

  #tell(there: boolean) {
    for (const tell of this.#curious.splice(0)) tell(there);
  }

  #retry() {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    // Windows that lost their server together shall not all come back at the same moment.
    const jittered = Math.max(FIRST_PAUSE, pause * (0.5 + Math.random() / 2));
    this.#wait(jittered, () => this.begin());
  }

  #listen() {
    this.#wait(SILENCE, () => this.begin());
  }

  #wait(milliseconds: number, call: () => void) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(call, milliseconds);
  }

  #become(state: Connection["state"]) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState({ state, since: Date.now() });
  }
}

function hangUp(socket: WebSocket) {
  socket.onmessage = null;
  socket.onclose = null;
  socket.close();
}
