/** Jobs and events as a server tells them. */

import type { FileView, JobView, NodeView } from "../../src/gen/api";
import type { LiveEvent } from "../../src/server/messages";

type Of<E extends LiveEvent["event"]> = Extract<LiveEvent, { event: E }>;

let seq = 0;

/** An event of some kind, with what matters of it. */
export function event<E extends LiveEvent["event"]>(
  name: E,
  part: Omit<Of<E>, "event" | "seq" | "time"> & { time?: number },
): LiveEvent {
  const kept = name === "node_progress" ? {} : { seq: ++seq, time: 1000 };
  return { ...kept, ...part, event: name } as unknown as LiveEvent;
}

export const picture = (digest: string): FileView => ({
  digest,
  name: `${digest}.png`,
  media_type: "image/png",
  size: 5,
});

export const jobView = (id: string, part: Partial<JobView> = {}): JobView => ({
  id,
  number: Number(id.slice(1)),
  name: `Job ${id}`,
  path: "",
  status: "queued",
  priority: 0,
  position: Number(id.slice(1)),
  batch: "",
  parent: "",
  inputs: {},
  only: [],
  submitted: 1000,
  attempts: 0,
  outputs: {},
  files: {},
  counts: {},
  total: 0,
  problem: "",
  ...part,
});

export const nodeView = (outcome: string, part: Partial<NodeView> = {}): NodeView => ({
  outcome,
  seconds: 1,
  memory: 0,
  why: "",
  key: "",
  files: [],
  sentence: "",
  trace: "",
  ...part,
});

export const queued = (job: string, part: Partial<Of<"job_queued">> = {}) =>
  event("job_queued", {
    job,
    name: `Job ${job}`,
    priority: 0,
    position: Number(job.slice(1)),
    batch: "",
    reason: "",
    ...part,
  });
export const begun = (job: string, attempt = 1) =>
  event("job_started", { job, worker: "w1", attempt });
export const planned = (job: string, nodes: number) =>
  event("run_started", { job, workflow: `Job ${job}`, nodes });
export const over = (job: string, part: Partial<Of<"job_finished">> = {}) =>
  event("job_finished", {
    job,
    status: "done",
    seconds: 2,
    outputs: {},
    files: {},
    counts: {},
    problem: "",
    ...part,
  });
export const nodeBegun = (job: string, node: string) =>
  event("node_started", { job, node, type: "toys.toy", why: "new" });
export const nodeOver = (job: string, node: string, part: Partial<Of<"node_finished">> = {}) =>
  event("node_finished", {
    job,
    node,
    outcome: "ran",
    seconds: 1,
    why: "",
    key: "k",
    files: [],
    memory: 9,
    ...part,
  });
export const progress = (job: string, node: string, step: number, total = 20) =>
  event("node_progress", { job, node, step, total, text: "" });
