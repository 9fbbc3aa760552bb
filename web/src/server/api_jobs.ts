/** Calls about jobs and the queue. */

import type { Workflow } from "../doc/types";
import type {
  Accepted,
  Cancelled,
  JobChange,
  JobList,
  JobView,
  Problems,
  QueueState,
  SubmitBody,
} from "../gen/api";
import { ApiError, Offline, type Problem } from "./errors";
import type { Calling, Http } from "./http";
import { pathOf } from "./http";
import { newKey } from "./keys";

/** What is handed in. `origin` names the saved workflow that it came from, which is the job's `path`. */
export type Submit = Omit<SubmitBody, "workflow"> & {
  readonly workflow?: Workflow | null;
};

export type JobStatus = JobView["status"];

export interface JobsWanted {
  readonly status?: readonly JobStatus[];
  readonly batch?: string;
  /** Only jobs of a lower number. */
  readonly before?: number | null;
  readonly limit?: number;
}

export interface JobsApi {
  /** All problems of what would be handed in; none if it can run. */
  check(body: Submit, calling?: Calling): Promise<readonly Problem[]>;
  /**
   * Hand in jobs. A lost answer is asked for again under the same key, so that it never makes two.
   *
   * Whoever repeats it by hand after `Offline` gives the key of the first time.
   */
  submit(body: Submit, calling?: Calling & { readonly key?: string }): Promise<Accepted>;
  jobs(wanted?: JobsWanted, calling?: Calling): Promise<JobList>;
  /** One job, with what became of its nodes. */
  job(id: string, calling?: Calling): Promise<JobView>;
  /** Stop a job that is not over; one that is stays as it is. */
  cancel(id: string): Promise<JobView>;
  /** Take a job that is over out of the history. */
  remove(id: string): Promise<void>;
  retry(id: string): Promise<Accepted>;
  move(id: string, change: JobChange): Promise<JobView>;
  /** How many were cancelled. */
  cancelAll(status?: readonly ("queued" | "running")[]): Promise<number>;
  pause(): Promise<QueueState>;
  resume(): Promise<QueueState>;
  queue(calling?: Calling): Promise<QueueState>;
}

/** Milliseconds before each further attempt to hand in. */
const AGAIN = [300, 1000, 2000, 4000];
const LONGEST_WAIT = 10;

export function jobsApi(http: Http): JobsApi {
  const at = (id: string) => `api/jobs/${pathOf(id)}`;
  const setPaused = (paused: boolean) =>
    http.json<QueueState>("PATCH", "api/queue", { body: { paused } });
  return {
    async check(body, calling) {
      const found = await http.json<Problems>("POST", "api/check", { ...calling, body });
      return found.problems;
    },
    submit(body, calling = {}) {
      const headers = { "Idempotency-Key": calling.key ?? newKey() };
      return persistently(calling.signal, () =>
        http.json<Accepted>("POST", "api/jobs", { ...calling, headers, body }),
      );
    },
    jobs: (wanted = {}, calling) =>
      http.json("GET", "api/jobs", { ...calling, query: { ...wanted } }),
    job: (id, calling) => http.json("GET", at(id), calling),
    cancel: (id) => http.json("DELETE", at(id), { query: { only: "cancel" } }),
    async remove(id) {
      await http.send("DELETE", at(id), { query: { only: "remove" } });
    },
    retry: (id) => http.json("POST", `${at(id)}/retry`),
    move: (id, change) => http.json("PATCH", at(id), { body: change }),
    async cancelAll(status = ["queued", "running"]) {
      const done = await http.json<Cancelled>("DELETE", "api/jobs", { query: { status } });
      return done.cancelled;
    },
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    queue: (calling) => http.json("GET", "api/queue", calling),
  };
}

/** Try until there is an answer. A server that says when to come again is asked again then. */
async function persistently<T>(
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  for (const pause of AGAIN) {
    try {
      return await attempt();
    } catch (error) {
      const wait = error instanceof Offline ? pause : busyFor(error);
      if (wait === null) throw error;
      await sleep(wait, signal);
    }
  }
  return attempt();
}

function busyFor(error: unknown): number | null {
  if (!(error instanceof ApiError) || (error.status !== 429 && error.status !== 503)) return null;
  const { retryAfter } = error;
  return retryAfter === null || retryAfter > LONGEST_WAIT ? null : retryAfter * 1000;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, stopped) => {
    const stop = () => {
      clearTimeout(timer);
      stopped(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      done();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
