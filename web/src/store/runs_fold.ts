/**
 * Fold: what an event makes of what is known. Pure, and the same in however many batches the
 * events come. What did not change stays the same object, so that one step of a sampler draws one
 * node anew.
 */

import type { FileView, OutputView, Picture } from "../gen/api";
import type {
  JobFinished,
  JobQueued,
  NodeFailed,
  NodeFinished,
  NodeLog,
  NodeProgress,
  NodeStarted,
} from "../gen/events";
import type { LiveEvent } from "../server/messages";
import {
  get,
  isOver,
  type Job,
  kept,
  type NodeRun,
  type RunsState,
  sum,
  withFiles,
} from "./runs_state";

/** Lines of a node that are kept. */
const LOGS = 200;

/** Some events, in order; `now` is what this page's clock says, in milliseconds since 1970. */
export function fold(state: RunsState, events: readonly LiveEvent[], now: number): RunsState {
  const draft = new Draft(state);
  for (const event of events) step(draft, event, now);
  return draft.finish();
}

/** State in the making: copies what changes, once. */
class Draft {
  readonly #before: RunsState;
  #jobs: Record<string, Job> | null = null;
  /** Jobs whose record of nodes is a copy already. */
  readonly #copied = new Map<string, Record<string, NodeRun>>();
  #part: Partial<RunsState> = {};
  #moved = false;

  constructor(before: RunsState) {
    this.#before = before;
  }

  get now(): RunsState {
    return { ...this.#before, ...this.#part, jobs: this.#jobs ?? this.#before.jobs };
  }

  job(id: string): Job | undefined {
    return get(this.#jobs ?? this.#before.jobs, id);
  }

  *jobs(): Iterable<Job> {
    yield* Object.values(this.#jobs ?? this.#before.jobs);
  }

  put(job: Job) {
    this.#jobs ??= { ...this.#before.jobs };
    const was = this.#jobs[job.id];
    this.#moved ||= !was || placeIn(was) !== placeIn(job);
    if (was && was.nodes !== job.nodes) this.#copied.delete(job.id);
    this.#jobs[job.id] = job;
  }

  remove(id: string) {
    if (!this.job(id)) return;
    this.#jobs ??= { ...this.#before.jobs };
    delete this.#jobs[id];
    this.#copied.delete(id);
    this.#moved = true;
  }

  /** Change a node of a job that is not over; of others nothing is told any more. */
  node(id: string, node: string, change: (run: NodeRun | undefined) => NodeRun | undefined) {
    const job = this.job(id);
    if (!job || isOver(job)) return;
    const run = get(job.nodes, node);
    const after = change(run);
    if (after === undefined || after === run) return;
    let nodes = this.#copied.get(id);
    if (!nodes) {
      nodes = { ...job.nodes };
      this.put({ ...job, nodes });
      this.#copied.set(id, nodes);
    }
    nodes[node] = after;
  }

  set(part: Partial<RunsState>) {
    this.#part = { ...this.#part, ...part };
  }

  finish(): RunsState {
    const after = { ...this.now, ...(this.#moved ? ordersOf(this.now.jobs) : {}) };
    const names = Object.keys(after) as (keyof RunsState)[];
    return names.some((name) => after[name] !== this.#before[name]) ? after : this.#before;
  }
}

const placeIn = (job: Job) =>
  `${job.status} ${job.number} ${job.priority} ${job.position} ${job.started} ${job.submitted}`;

/** The newest first. A job without a number has just been handed in. */
function byAge(a: Job, b: Job): number {
  if (a.number > 0 && b.number > 0) return b.number - a.number;
  if (a.number > 0 || b.number > 0) return a.number - b.number;
  return b.submitted - a.submitted || b.position - a.position;
}

const byTurn = (a: Job, b: Job) =>
  b.priority - a.priority || a.position - b.position || a.number - b.number;

/** The lists of jobs, all of which follow from the jobs themselves. */
export function ordersOf(
  jobs: Readonly<Record<string, Job>>,
): Pick<RunsState, "order" | "queued" | "running"> {
  const all = Object.values(jobs);
  const ids = (some: readonly Job[]) => some.map((job) => job.id);
  const running = all.filter((job) => job.status === "running");
  return {
    order: ids(all.sort(byAge)),
    queued: ids(all.filter((job) => job.status === "queued").sort(byTurn)),
    running: ids(running.sort((a, b) => (a.started ?? 0) - (b.started ?? 0))),
  };
}

function step(draft: Draft, event: LiveEvent, now: number): void {
  switch (event.event) {
    case "job_queued":
      queued(draft, event);
      return;
    case "job_moved": {
      const job = draft.job(event.job);
      const { priority, position } = event;
      if (job && !isOver(job)) draft.put({ ...job, priority, position });
      return;
    }
    case "job_started": {
      const job = draft.job(event.job);
      if (!job || isOver(job)) return;
      draft.put({ ...job, status: "running", started: event.time, attempts: event.attempt });
      return;
    }
    case "run_started": {
      const job = draft.job(event.job);
      if (job && !isOver(job)) draft.put({ ...job, total: event.nodes });
      return;
    }
    case "job_finished":
      finished(draft, event);
      return;
    case "job_removed":
      draft.remove(event.job);
      pictures(draft, (all) => all.filter((picture) => picture.job !== event.job));
      return;
    case "result_removed":
      removed(draft, event.digest);
      return;
    case "queue_changed":
      draft.set({ paused: event.paused });
      return;
    case "worker_changed": {
      const { worker, state, sentence } = event;
      draft.set({ workers: { ...draft.now.workers, [worker]: { state, sentence } } });
      return;
    }
    case "node_started":
      draft.node(event.job, event.node, (run) => nodeStarted(run, event, now));
      return;
    case "node_progress":
      draft.node(event.job, event.node, (run) => nodeProgress(run, event, now));
      return;
    case "node_log":
      draft.node(event.job, event.node, (run) => nodeLog(run, event));
      return;
    case "node_finished":
      draft.node(event.job, event.node, (run) => nodeFinished(run, event));
      return;
    case "node_failed":
      draft.node(event.job, event.node, (run) => nodeFailed(run, event));
      return;
    default:
      return; // Nodes, workflows and settings are not kept here.
  }
}

function queued(draft: Draft, event: JobQueued) {
  const { job: id, name, priority, position, batch } = event;
  const job = draft.job(id);
  if (!job) {
    draft.put({ ...NEW_JOB, id, name, priority, position, batch, submitted: event.time });
  } else if (event.reason && !isOver(job)) {
    // It begins anew; its nodes will be told again, those that are kept too.
    const again = { status: "queued", started: null, nodes: {}, total: 0, loaded: true } as const;
    draft.put({ ...job, ...again, priority, position });
  }
}

const NEW_JOB: Omit<Job, "id" | "name" | "priority" | "position" | "batch" | "submitted"> = {
  number: 0,
  path: "",
  status: "queued",
  parent: "",
  started: null,
  finished: null,
  seconds: null,
  attempts: 0,
  counts: {},
  problem: "",
  inputs: {},
  outputs: {},
  files: {},
  nodes: {},
  total: 0,
  loaded: true,
};

function finished(draft: Draft, event: JobFinished) {
  const { job: id, status, seconds, outputs, files, counts, problem } = event;
  const made = [...Object.values(outputs).flatMap((one) => one.files ?? []), ...savedBy(files)];
  pictures(draft, (all) => withNewest(all, id, made));
  const job = draft.job(id);
  if (!job || isOver(job)) return;
  const nodes: Record<string, NodeRun> = {};
  for (const [node, run] of Object.entries(job.nodes)) {
    nodes[node] = run.status === "running" ? { ...run, status: "cancelled" } : run;
  }
  draft.put({
    ...job,
    ...{ status, seconds, outputs, files, counts, problem },
    finished: event.time,
    nodes: withFiles(nodes, files),
    total: sum(counts) || job.total,
    // Of nodes that were kept and that nobody asked for no event tells.
    loaded: job.loaded && Object.keys(nodes).length >= sum(counts),
  });
}

const savedBy = (files: Readonly<Record<string, readonly FileView[]>>) =>
  Object.values(files).flat();

/** The same content is shown once, where it was made last. */
function withNewest(all: readonly Picture[], job: string, files: readonly FileView[]) {
  const fresh = new Map<string, Picture>();
  for (const file of files) {
    if (file.media_type.startsWith("image/")) fresh.set(file.digest, { ...file, number: 0, job });
  }
  if (fresh.size === 0) return all;
  return [...[...fresh.values()].reverse(), ...all.filter((one) => !fresh.has(one.digest))];
}

function pictures(draft: Draft, change: (all: readonly Picture[]) => readonly Picture[]) {
  const { gallery } = draft.now;
  const after = change(gallery.pictures);
  const same = after === gallery.pictures || after.every((one, at) => one === gallery.pictures[at]);
  if (!same || after.length !== gallery.pictures.length) {
    draft.set({ gallery: { ...gallery, pictures: after } });
  }
}

/** A file is gone: whatever has shown it shows it no more. */
function removed(draft: Draft, digest: string) {
  pictures(draft, (all) => all.filter((picture) => picture.digest !== digest));
  const left = (files: readonly FileView[]) => files.filter((file) => file.digest !== digest);
  const has = (files: readonly FileView[] | null | undefined) =>
    files?.some((file) => file.digest === digest) ?? false;
  for (const job of [...draft.jobs()]) {
    const output = Object.values(job.outputs).some((one) => has(one.files));
    if (!output && !Object.values(job.files).some(has)) continue;
    const outputs = mapped(
      job.outputs,
      (one): OutputView => (one.files && has(one.files) ? { ...one, files: left(one.files) } : one),
    );
    const files = mapped(job.files, (some) => (has(some) ? left(some) : some));
    const nodes = mapped(job.nodes, (run) =>
      run.files && has(run.files) ? { ...run, files: left(run.files) } : run,
    );
    draft.put({ ...job, outputs, files, nodes });
  }
}

function mapped<T>(record: Readonly<Record<string, T>>, change: (value: T) => T) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

const isUnderWay = (run: NodeRun | undefined): boolean =>
  run === undefined || run.status === "waiting" || run.status === "running";

function nodeStarted(run: NodeRun | undefined, event: NodeStarted, now: number): NodeRun {
  const begun = { status: "running", why: event.why, started: now } as const;
  // Progress is told sooner than what is written down first.
  if (run && isUnderWay(run)) return { ...run, ...begun };
  return { ...begun, ...(run?.logs ? { logs: run.logs } : {}) };
}

function nodeProgress(run: NodeRun | undefined, event: NodeProgress, now: number) {
  if (!isUnderWay(run)) return undefined;
  const { step, total, text } = event;
  const pace = run?.pace;
  // Some nodes count several times, such as once for each tile.
  const goesOn = pace && run.total === total && step >= (run.step ?? 0);
  const measured = goesOn ? { ...pace, at: now } : { step, from: now, at: now };
  return { ...run, status: "running", step, total, text, pace: measured } as const;
}

function nodeLog(run: NodeRun | undefined, event: NodeLog): NodeRun {
  const logs = [...(run?.logs ?? []).slice(1 - LOGS), event.text];
  return { ...(run ?? { status: "waiting" }), logs };
}

function nodeFinished(run: NodeRun | undefined, event: NodeFinished): NodeRun {
  const { outcome: status, seconds, memory } = event;
  return {
    ...(run && kept(run)),
    status,
    seconds,
    memory: memory ?? 0,
    why: event.why || (run?.why ?? ""),
    ...(event.key ? { key: event.key } : {}),
  };
}

function nodeFailed(run: NodeRun | undefined, event: NodeFailed): NodeRun {
  const { sentence, trace } = event;
  return { ...(run && kept(run)), status: "failed", sentence, trace };
}
