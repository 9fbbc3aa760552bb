// Written by scripts/types.mjs from schema/events.json; change the Python models, then run
// 'make schema'.

import type { FileView, OutputView } from "./api";

/**
 * Something that happened; `event` says what.
 */
export type ServerEvent =
  | JobFinished
  | JobMoved
  | JobQueued
  | JobRemoved
  | JobStarted
  | NodeFailed
  | NodeFinished
  | NodeLog
  | NodeProgress
  | NodeStarted
  | NodesChanged
  | QueueChanged
  | ResultRemoved
  | RunStarted
  | SettingsChanged
  | WorkerChanged
  | WorkflowChanged;

/**
 * What a server tells of what happens.
 */
export interface Events {
  EventFrame: EventFrame;
  PreviewHead: PreviewHead;
  ServerEvent: ServerEvent;
}
/**
 * A text frame of `/api/events`; only the first one has `after` and `last`.
 */
export interface EventFrame {
  events: ServerEvent[];
  /**
   * Where the client stands.
   */
  after?: number | null;
  /**
   * Number of the last event that there is.
   */
  last?: number | null;
  /**
   * Events are missing: read the jobs anew.
   */
  gap?: boolean | null;
}
/**
 * The last event of a job.
 */
export interface JobFinished {
  seq: number;
  time: number;
  event: "job_finished";
  job: string;
  status: "done" | "failed" | "cancelled";
  seconds: number;
  /**
   * For each exposed output `{"value": ...}` or `{"files": [file, ...]}`, where a file is `{"digest", "name", "media_type", "size", "width"?, "height"?}`.
   */
  outputs: {
    [k: string]: OutputView;
  };
  /**
   * The same of what end nodes saved, by node id.
   */
  files: {
    [k: string]: FileView[];
  };
  /**
   * How many nodes had each outcome, such as `{"ran": 2, "disk": 5}`.
   */
  counts: {
    [k: string]: number;
  };
  /**
   * Why it failed, as one sentence; empty if it did not.
   */
  problem: string;
}
/**
 * A queued job got another place in the queue.
 */
export interface JobMoved {
  seq: number;
  time: number;
  event: "job_moved";
  job: string;
  priority: number;
  position: number;
}
/**
 * A job was accepted and is safe on disk, or waits again after a retry.
 */
export interface JobQueued {
  seq: number;
  time: number;
  event: "job_queued";
  job: string;
  name: string;
  /**
   * Higher runs first.
   */
  priority: number;
  /**
   * Among equal priorities, lower runs first.
   */
  position: number;
  batch: string;
  /**
   * Why it waits again; empty for a new job.
   */
  reason: string;
}
/**
 * A finished job left the history; what it made may be collected.
 */
export interface JobRemoved {
  seq: number;
  time: number;
  event: "job_removed";
  job: string;
}
/**
 * A worker has the job; `attempt` is 2 if an earlier worker died of it.
 */
export interface JobStarted {
  seq: number;
  time: number;
  event: "job_started";
  job: string;
  worker: string;
  attempt: number;
}
/**
 * A node raised; what does not depend on it goes on.
 */
export interface NodeFailed {
  seq: number;
  time: number;
  event: "node_failed";
  job: string;
  node: string;
  type: string;
  sentence: string;
  trace: string;
}
/**
 * A node is done and, if a disk store is used, its value is safely there.
 *
 * `memory` is the most bytes that the process held while the node ran; 0 if it did not.
 */
export interface NodeFinished {
  seq: number;
  time: number;
  event: "node_finished";
  job: string;
  node: string;
  outcome: "ran" | "memory" | "disk" | "skipped" | "failed" | "cancelled";
  seconds: number;
  why: string;
  key: string;
  files: string[];
  memory: number;
}
/**
 * A line for people about a node, such as a cache entry that was dropped.
 */
export interface NodeLog {
  seq: number;
  time: number;
  event: "node_log";
  job: string;
  node: string;
  text: string;
}
/**
 * A node has done `step` of `total` steps.
 */
export interface NodeProgress {
  event: "node_progress";
  job: string;
  node: string;
  step: number;
  total: number;
  text: string;
}
/**
 * A node begins to compute; `why` names the part of its key that is new.
 */
export interface NodeStarted {
  seq: number;
  time: number;
  event: "node_started";
  job: string;
  node: string;
  type: string;
  why: string;
}
/**
 * Packs were read again; ask for `/api/nodes`. `errors` has a sentence for each broken pack.
 */
export interface NodesChanged {
  seq: number;
  time: number;
  event: "nodes_changed";
  errors: string[];
}
/**
 * The queue was paused or goes on.
 */
export interface QueueChanged {
  seq: number;
  time: number;
  event: "queue_changed";
  paused: boolean;
}
/**
 * A file that jobs made was deleted, wherever it lay; jobs tell of it still.
 */
export interface ResultRemoved {
  seq: number;
  time: number;
  event: "result_removed";
  digest: string;
}
/**
 * The first event of a run.
 */
export interface RunStarted {
  seq: number;
  time: number;
  event: "run_started";
  job: string;
  workflow: string;
  /**
   * How many nodes will be asked for: those that are wanted and what they need; of what a store has already, nothing further up.
   */
  nodes: number;
}
/**
 * The editor's settings were written; `etag` is that of the new ones.
 */
export interface SettingsChanged {
  seq: number;
  time: number;
  event: "settings_changed";
  etag: string;
}
/**
 * A worker started, is ready, or has died; `sentence` says what happened.
 */
export interface WorkerChanged {
  seq: number;
  time: number;
  event: "worker_changed";
  worker: string;
  state: "starting" | "ready" | "died" | "stopped";
  sentence: string;
}
/**
 * A saved workflow was written or deleted; `etag` is empty if it is gone.
 */
export interface WorkflowChanged {
  seq: number;
  time: number;
  event: "workflow_changed";
  path: string;
  etag: string;
}
/**
 * The JSON head of a binary frame, which a picture follows.
 */
export interface PreviewHead {
  job: string;
  node: string;
  media_type: string;
}
