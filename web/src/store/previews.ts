/** Previews: the addresses under which pages show pictures of unfinished work, and their end. */

import { type Preview, placeOf } from "../server/messages";
import { get, isOver, type RunsState } from "./runs_state";

export interface Urls {
  create(blob: Blob): string;
  revoke(url: string): void;
}

export const realUrls: Urls = {
  create: (blob) => URL.createObjectURL(blob),
  revoke: (url) => URL.revokeObjectURL(url),
};

interface Shown {
  readonly job: string;
  readonly node: string;
  readonly url: string;
}

export class Previews {
  readonly #urls: Urls;
  readonly #shown = new Map<string, Shown>();

  constructor(urls: Urls) {
    this.#urls = urls;
  }

  /** Show pictures on the nodes that work on them. */
  show(state: RunsState, previews: readonly Preview[]): RunsState {
    let jobs = state.jobs;
    for (const { job: id, node, blob } of previews) {
      const job = get(jobs, id);
      const run = job && get(job.nodes, node);
      // A preview that is late is worth less than what the node has made.
      if (!job || isOver(job) || run?.files?.length) continue;
      const place = placeOf(id, node);
      const before = this.#shown.get(place);
      const url = this.#urls.create(blob);
      this.#shown.set(place, { job: id, node, url });
      if (before) this.#urls.revoke(before.url);
      const after = { ...(run ?? ({ status: "running" } as const)), preview: url };
      jobs = { ...jobs, [id]: { ...job, nodes: { ...job.nodes, [node]: after } } };
    }
    return jobs === state.jobs ? state : { ...state, jobs };
  }

  /** Take previews off the nodes that have files now, and let go of all that nobody shows. */
  settle(state: RunsState): RunsState {
    let jobs = state.jobs;
    for (const [place, { job: id, node, url }] of this.#shown) {
      const job = get(jobs, id);
      const run = job && get(job.nodes, node);
      if (run?.preview === url && !run.files?.length) continue;
      this.#shown.delete(place);
      this.#urls.revoke(url);
      if (!job || run?.preview !== url) continue;
      const { preview: _, ...after } = run;
      jobs = { ...jobs, [id]: { ...job, nodes: { ...job.nodes, [node]: after } } };
    }
    return jobs === state.jobs ? state : { ...state, jobs };
  }

  clear(): void {
    for (const { url } of this.#shown.values()) this.#urls.revoke(url);
    this.#shown.clear();
  }
}
