/** Jobs in words. */

import type { Job } from "../store/runs";

export const nameOf = (job: Job | undefined): string => job?.name || "Untitled";

/** `3 of 8`, by the id of each job of a batch: which of its jobs it is. */
export function batchPlaces(jobs: Readonly<Record<string, Job>>): ReadonlyMap<string, string> {
  const batches = new Map<string, Job[]>();
  for (const job of Object.values(jobs)) {
    if (job.batch) batches.set(job.batch, [...(batches.get(job.batch) ?? []), job]);
  }
  const places = new Map<string, string>();
  for (const batch of batches.values()) {
    if (batch.length < 2) continue;
    batch.sort((a, b) => a.number - b.number);
    for (const [index, { id }] of batch.entries())
      places.set(id, `${index + 1} of ${batch.length}`);
  }
  return places;
}
