/** Jobs in words. */

import { duration } from "../canvas/badge";
import type { FileView } from "../gen/api";
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

/** The pictures that a job made, those of its outputs first, each once. */
export function picturesOf(job: Job): readonly FileView[] {
  const files = new Map<string, FileView>();
  const outputs = Object.values(job.outputs).flatMap((output) => output.files ?? []);
  for (const file of [...outputs, ...Object.values(job.files).flat()]) {
    if (file.media_type.startsWith("image/") && !files.has(file.digest))
      files.set(file.digest, file);
  }
  return [...files.values()];
}

/** When a job was over, else when it was handed in, as this place writes times. */
export const whenOf = (job: Job): string =>
  new Date(1000 * (job.finished ?? job.submitted)).toLocaleString();

const WORDS: Readonly<Record<string, string>> = {
  ran: "ran",
  memory: "from memory",
  disk: "from disk",
  failed: "failed",
};

/** How a job ended: `1.2 s · 3 ran, 4 from memory`. */
export function endOf(job: Job): string {
  if (job.status !== "done") return job.status;
  const counts = Object.entries(WORDS)
    .filter(([outcome]) => job.counts[outcome])
    .map(([outcome, word]) => `${job.counts[outcome]} ${word}`);
  return [duration(job.seconds ?? 0), counts.join(", ")].filter(Boolean).join(" · ");
}
