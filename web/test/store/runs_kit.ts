/** Runs of a page, and a server that is asked only for what tests of them need. */

import { vi } from "vitest";
import type { Gallery, JobList, JobView } from "../../src/gen/api";
import { type Api, ApiError } from "../../src/server/api";
import { makeRuns, type RunsOptions } from "../../src/store/runs";

export const list = (jobs: JobView[], next: number | null = null): JobList => ({
  jobs,
  counts: {},
  paused: false,
  next,
});

function fakeApi() {
  const api = {
    jobs: vi.fn(async (wanted: { status?: readonly string[] } = {}) => {
      const { status } = wanted;
      return list(jobs.filter((job) => !status || status.includes(job.status)));
    }),
    job: vi.fn(async (id: string): Promise<JobView> => {
      const job = jobs.find((one) => one.id === id);
      if (!job) throw new ApiError(404, "There is no such job.");
      return job;
    }),
    system: vi.fn(async () => ({ workers: [{ name: "w1", state: "ready" }] })),
    results: vi.fn(
      async (_before: number | null): Promise<Gallery> => ({ results: [], next: null }),
    ),
  };
  const jobs: JobView[] = [];
  return { api: api as unknown as Api, calls: api, jobs };
}

export function started(options: RunsOptions = {}) {
  const made: string[] = [];
  const revoked: string[] = [];
  const urls = {
    create: () => {
      made.push(`blob:${made.length}`);
      return made.at(-1) ?? "";
    },
    revoke: (url: string) => void revoked.push(url),
  };
  const server = fakeApi();
  const runs = makeRuns(server.api, { urls, now: () => 0, ...options });
  return { ...server, runs, made, revoked };
}

/** An answer that comes when the test says so. */
export function held<T>() {
  let give: (value: T) => void = () => {};
  const answer = new Promise<T>((done) => {
    give = done;
  });
  return { answer, give };
}
