/** What can go wrong between the editor and its server, each as a sentence that can be shown. */

import type { Finding } from "../gen/api";

export type Problem = Finding;

/** The server answered, and refused. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly sentence: string;
  /** Of a workflow that does not check. */
  readonly problems: readonly Problem[];
  /** Seconds after which it may be asked again; null if it did not say. */
  readonly retryAfter: number | null;
  /** What is there instead of what was expected (412, 428). */
  readonly etag: string | null;

  constructor(
    status: number,
    sentence: string,
    more: {
      problems?: readonly Problem[];
      retryAfter?: number | null;
      etag?: string | null;
      cause?: unknown;
    } = {},
  ) {
    super(sentence, { cause: more.cause });
    this.status = status;
    this.sentence = sentence;
    this.problems = more.problems ?? [];
    this.retryAfter = more.retryAfter ?? null;
    this.etag = more.etag ?? null;
  }
}

/** No answer came: whether the server has done what it was asked is not known. */
export class Offline extends Error {
  override readonly name = "Offline";
  readonly sentence: string;

  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause });
    this.sentence = sentence;
  }
}

/** Whoever asked has changed their mind; nothing to show. */
export const isAborted = (error: unknown): boolean =>
  error instanceof Error && error.name === "AbortError";

/** Any error as what people are told. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ApiError || error instanceof Offline) return error.sentence;
  return error instanceof Error ? error.message : String(error);
}
