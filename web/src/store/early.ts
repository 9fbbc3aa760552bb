/**
 * Early: what is told of jobs before the answer is here that they were taken.
 *
 * A short job may be over by then. What happens to it waits for the answer, so that whoever handed
 * it in shows it already when its nodes and its end are told.
 */

import type { LiveEvent } from "../server/messages";

export class Early {
  /** How many answers are on their way. */
  #asked = 0;
  #events: LiveEvent[] = [];
  readonly #jobs = new Set<string>();

  /** Whether all that is told of a job, from its beginning, is kept back. */
  has(job: string): boolean {
    return this.#events.some((event) => event.event === "job_queued" && event.job === job);
  }

  begin(): void {
    this.#asked += 1;
  }

  /** An answer is here, or there will be none. What may be told now, in order. */
  end(known: (job: string) => boolean): readonly LiveEvent[] {
    this.#asked -= 1;
    const events = this.forget();
    return this.#asked > 0 ? this.pass(events, known) : events;
  }

  /** Keep back what is of jobs that may be those that are asked for; all else may be told. */
  pass(events: readonly LiveEvent[], known: (job: string) => boolean): readonly LiveEvent[] {
    if (this.#asked === 0) return events;
    return events.filter((event) => {
      const job = "job" in event ? event.job : undefined;
      if (job === undefined || (known(job) && !this.#jobs.has(job))) return true;
      this.#jobs.add(job);
      this.#events.push(event);
      return false;
    });
  }

  /** Let go of what was kept back. */
  forget(): readonly LiveEvent[] {
    const events = this.#events;
    this.#events = [];
    this.#jobs.clear();
    return events;
  }
}
