/** Requests to the server: addresses below one base, time limits, and errors as sentences. */

import type { ProblemView } from "../gen/api";
import { ApiError, isAborted, Offline } from "./errors";

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;
type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | null | undefined>
>;

/** What every call takes: who gives up, and when. */
export interface Calling {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

export interface Sending extends Calling {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  /** A `Blob`, a form or a text goes as it is, everything else as JSON. */
  readonly body?: unknown;
}

interface Answer {
  readonly status: number;
  /** Without quotation marks; null if there was none. */
  readonly etag: string | null;
  readonly text: string;
}

export interface Http {
  /** The whole address of a path; parts of the path are encoded by `pathOf`. */
  url(path: string, query?: Query): string;
  send(method: string, path: string, sending?: Sending): Promise<Answer>;
  json<T>(method: string, path: string, sending?: Sending): Promise<T>;
}

const PATIENCE = 30_000;
const NO_ANSWER = "The server does not answer; it may have been stopped.";
const TOO_SLOW = "The server took too long to answer.";

export function makeHttp(base: URL, fetch: Fetch): Http {
  const url: Http["url"] = (path, query = {}) => {
    const address = new URL(path, base);
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined || value === false) continue;
      for (const one of [value].flat()) address.searchParams.append(name, String(one));
    }
    return address.href;
  };

  const send: Http["send"] = async (method, path, sending = {}) => {
    const limit = limited(sending.signal, sending.timeout ?? PATIENCE);
    try {
      const init = initOf(method, sending, limit.signal);
      const response = await fetch(url(path, sending.query), init);
      return read(response, await response.text());
    } catch (error) {
      if (error instanceof ApiError || error instanceof Offline) throw error;
      if (limit.expired()) throw new Offline(TOO_SLOW, error);
      if (sending.signal?.aborted || isAborted(error)) throw sending.signal?.reason ?? error;
      throw new Offline(NO_ANSWER, error);
    } finally {
      limit.release();
    }
  };

  return {
    url,
    send,
    async json<T>(method: string, path: string, sending?: Sending): Promise<T> {
      const answer = await send(method, path, sending);
      try {
        return JSON.parse(answer.text) as T;
      } catch (error) {
        const sentence = `What '${path}' answered is no JSON; is this a nodeflow server?`;
        throw new ApiError(answer.status, sentence, { cause: error });
      }
    },
  };
}

/** A name as part of a path. Its own slashes lead deeper, but never out again. */
export function pathOf(name: string): string {
  const parts = name.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new ApiError(400, `'${name}' is no name; leave out empty parts, '.' and '..'.`);
  }
  return parts.map(encodeURIComponent).join("/");
}

export const quoted = (etag: string): string => `"${etag}"`;

function initOf(method: string, sending: Sending, signal: AbortSignal): RequestInit {
  const { body } = sending;
  const headers: Record<string, string> = { Accept: "application/json", ...sending.headers };
  if (body === undefined) return { method, headers, signal };
  if (body instanceof FormData || body instanceof Blob || typeof body === "string") {
    return { method, headers, signal, body };
  }
  headers["Content-Type"] = "application/json";
  return { method, headers, signal, body: JSON.stringify(body) };
}

/** A signal that also fires after some time; whoever called may still fire theirs. */
function limited(signal: AbortSignal | undefined, timeout: number) {
  const control = new AbortController();
  let expired = false;
  const stop = () => control.abort(signal?.reason);
  const timer = setTimeout(() => {
    expired = true;
    control.abort();
  }, timeout);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  return {
    signal: control.signal,
    expired: () => expired,
    release() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    },
  };
}

function read(response: Response, text: string): Answer {
  const { status, headers } = response;
  const etag = headers.get("ETag")?.replace(/^(W\/)?"|"$/g, "") ?? null;
  if (response.ok || status === 304) return { status, etag, text };
  const problem = problemOf(headers.get("Content-Type") ?? "", text);
  if (problem === null && (status === 502 || status === 504)) throw new Offline(NO_ANSWER);
  const told = `The server answered ${status} ${response.statusText}`.trimEnd();
  throw new ApiError(status, problem?.detail ?? `${told}.`, {
    problems: problem?.problems ?? [],
    retryAfter: secondsOf(headers.get("Retry-After")),
    etag,
  });
}

function problemOf(type: string, text: string): ProblemView | null {
  if (!type.startsWith("application/problem+json")) return null;
  try {
    return JSON.parse(text) as ProblemView;
  } catch {
    return null; // cut off on its way; the status still says what it is
  }
}

/** `Retry-After` in seconds; nodeflow sends no dates. */
function secondsOf(header: string | null): number | null {
  const seconds = Number(header ?? "");
  return header && Number.isFinite(seconds) ? seconds : null;
}
