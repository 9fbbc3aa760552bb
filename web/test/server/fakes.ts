/** What stands in for the network and the browser in these tests. */

import type { Fetch } from "../../src/server/http";
import type { Page } from "../../src/server/page";

export interface Asked {
  readonly method: string;
  /** Behind the base, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly signal: AbortSignal | null;
}

export type Answering = (asked: Asked) => Response | Promise<Response>;

export const BASE = new URL("http://host.test/behind/proxy/");

/** A server that gives these answers, one after the other, then the last again and again. */
export function fakeServer(...answers: Answering[]): { fetch: Fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch: Fetch = async (input, init) => {
    const one: Asked = {
      method: init.method ?? "GET",
      path: input.replace(BASE.href, ""),
      headers: init.headers as Record<string, string>,
      body: init.body ?? null,
      signal: init.signal ?? null,
    };
    asked.push(one);
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (!answer) throw new Error("no answer was prepared");
    return answer(one);
  };
  return { fetch, asked };
}

export const json =
  (body: unknown, init: ResponseInit = {}) =>
  (): Response =>
    new Response(JSON.stringify(body), { status: 200, ...init });

export const problem = (status: number, detail: string, headers: Record<string, string> = {}) =>
  json(
    { type: "about:blank", title: "No", status, detail },
    {
      status,
      headers: { "Content-Type": "application/problem+json", ...headers },
    },
  );

/** No answer: what `fetch` throws if nobody is there. */
export const nobody = (): never => {
  throw new TypeError("fetch failed");
};

/** A page whose frames, visibility and end are in the hands of the test. */
export class FakePage implements Page {
  hidden = false;
  readonly frames = new Set<() => void>();
  readonly #wakes = new Set<() => void>();
  readonly #leaves = new Set<() => void>();

  frame(call: () => void) {
    this.frames.add(call);
    return () => this.frames.delete(call);
  }
  onWake(call: () => void) {
    this.#wakes.add(call);
    return () => this.#wakes.delete(call);
  }
  onLeave(call: () => void) {
    this.#leaves.add(call);
    return () => this.#leaves.delete(call);
  }
  draw() {
    const due = [...this.frames];
    this.frames.clear();
    for (const call of due) call();
  }
  wake() {
    for (const call of this.#wakes) call();
  }
  leave() {
    for (const call of this.#leaves) call();
  }
}

/** A socket whose other end is the test. */
export class FakeSocket {
  binaryType = "blob";
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }
  close() {
    this.closed = true;
  }
  says(frame: unknown) {
    this.onmessage?.({ data: frame instanceof ArrayBuffer ? frame : JSON.stringify(frame) });
  }
  ends() {
    this.onclose?.();
  }
  get after() {
    return new URL(this.url).searchParams.get("after");
  }
}

/** Storage of a browser, which may be full. */
export class FakeStorage implements Storage {
  readonly items = new Map<string, string>();
  room = Number.POSITIVE_INFINITY;
  [name: string]: unknown;

  get length() {
    return this.items.size;
  }
  clear() {
    this.items.clear();
  }
  getItem(key: string) {
    return this.items.get(key) ?? null;
  }
  key(at: number) {
    return [...this.items.keys()][at] ?? null;
  }
  removeItem(key: string) {
    this.items.delete(key);
  }
  setItem(key: string, value: string) {
    if (value.length > this.room) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }
}
