/** Runs: what is known of jobs, of their nodes, and of the pictures that they made. */

import type { FileView, JobView, NodeView, OutputView, Picture, WorkerView } from "../gen/api";
import type { WorkerChanged } from "../gen/events";
import type { JsonValue } from "../gen/json";
import type { Connection } from "../server/socket";

export interface NodeRun {
  readonly status:
    | "waiting"
    | "running"
    | "ran"
    | "memory"
    | "disk"
    | "skipped"
    | "failed"
    | "cancelled";
  readonly step?: number;
  readonly total?: number;
  /** What the node says of its progress. */
  readonly text?: string;
  readonly seconds?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly why?: string;
  /** Digest of what its value is made of; the server may still have the value under it. */
  readonly key?: string;
  /** Address of a picture of unfinished work. */
  readonly preview?: string;
  readonly files?: readonly FileView[];
  readonly sentence?: string;
  readonly trace?: string;
  readonly logs?: readonly string[];
  /** When it began, as this page saw it: milliseconds since 1970. */
  readonly started?: number;
  readonly pace?: Pace;
}

/** From which step on, and since when, a node's speed is measured; and when its last step came. */
interface Pace {
  readonly step: number;
  readonly from: number;
  readonly at: number;
}

export interface Job {
  readonly id: string;
  /** 0 until the server was asked; the newest. */
  readonly number: number;
  readonly name: string;
  readonly path: string;
  readonly status: JobView["status"];
  readonly priority: number;
  readonly position: number;
  readonly batch: string;
  readonly parent: string;
  /** Seconds since 1970, by the server's clock. */
  readonly submitted: number;
  readonly started: number | null;
  readonly finished: number | null;
  readonly seconds: number | null;
  readonly attempts: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly problem: string;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly outputs: Readonly<Record<string, OutputView>>;
  /** What end nodes saved. */
  readonly files: Readonly<Record<string, readonly FileView[]>>;
  /** By flat id, `outer/inner`; a node of which nothing was heard is not there. */
  readonly nodes: Readonly<Record<string, NodeRun>>;
  /** How many nodes it asks for, once it is over how many there are; 0 if that is not known. */
  readonly total: number;
  /** Nodes were fetched, or all of their events seen. */
  readonly loaded: boolean;
}

export interface Worker {
  readonly state: WorkerChanged["state"] | WorkerView["state"];
  readonly sentence: string;
}

export interface RunsGallery {
  /** The newest first; those that came since the page was loaded have the number 0. */
  readonly pictures: readonly Picture[];
  readonly next: number | null;
  readonly loaded: boolean;
}

export interface RunsState {
  readonly jobs: Readonly<Record<string, Job>>;
  /** The newest first. */
  readonly order: readonly string[];
  /** In the order in which they will run. */
  readonly queued: readonly string[];
  readonly running: readonly string[];
  readonly paused: boolean;
  readonly connection: Connection;
  readonly workers: Readonly<Record<string, Worker>>;
  readonly gallery: RunsGallery;
  /** Jobs were fetched. */
  readonly loaded: boolean;
  /** What `before` has to be for jobs that are older than these; null if there are none. */
  readonly older: number | null;
}

export const NO_RUNS: RunsState = {
  jobs: {},
  order: [],
  queued: [],
  running: [],
  paused: false,
  connection: { state: "connecting", since: 0 },
  workers: {},
  gallery: { pictures: [], next: null, loaded: false },
  loaded: false,
  older: null,
};

export const isOver = (job: Job): boolean => job.status !== "queued" && job.status !== "running";

/** A value of a record that has no other parts than its own. */
export const get = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);

/** A job as the server tells it, with what only this page saw. */
export function jobOf(view: JobView, known?: Job): Job {
  const { nodes, total, only: _, started, finished, seconds, ...rest } = view;
  const runs = nodes
    ? withFiles(nodesOf(nodes, known?.nodes ?? {}, view.status === "running"), view.files)
    : withFiles(known?.nodes ?? {}, known?.loaded ? view.files : {});
  return {
    ...rest,
    started: started ?? null,
    finished: finished ?? null,
    seconds: seconds ?? null,
    nodes: runs,
    total: sum(view.counts) || total || known?.total || 0,
    loaded: Boolean(nodes) || (known?.loaded ?? false),
  };
}

type Files = Readonly<Record<string, readonly FileView[]>>;
type Runs = Readonly<Record<string, NodeRun>>;

function nodesOf(views: Readonly<Record<string, NodeView>>, known: Runs, goesOn: boolean): Runs {
  const runs: Record<string, NodeRun> = {};
  for (const [id, view] of Object.entries(views)) {
    const run = get(known, id);
    runs[id] = {
      ...(view.outcome === "running" ? run : run && kept(run)),
      // `NodeView` is told as text, but has no other words than these.
      status: view.outcome as NodeRun["status"],
      seconds: view.seconds,
      memory: view.memory,
      why: view.why,
      ...(view.key ? { key: view.key } : {}),
      ...(view.sentence ? { sentence: view.sentence } : {}),
      ...(view.trace ? { trace: view.trace } : {}),
    };
  }
  for (const [id, run] of Object.entries(goesOn ? known : {})) {
    // What was only heard of in passing is not in the journal.
    if (!Object.hasOwn(runs, id) && (run.status === "running" || run.status === "waiting")) {
      runs[id] = run;
    }
  }
  return runs;
}

/** What stays of a node's work when it is done. */
export function kept(run: NodeRun): NodeRun {
  const { step: _step, total: _total, text: _text, pace: _pace, ...rest } = run;
  return rest;
}

/** Files are told with the job, by the node that saved them. */
export function withFiles(runs: Runs, files: Files): Runs {
  const after: Record<string, NodeRun> = { ...runs };
  for (const [id, saved] of Object.entries(files)) {
    after[id] = { ...(get(runs, id) ?? { status: "disk" }), files: saved };
  }
  return after;
}
