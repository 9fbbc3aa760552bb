// Written by scripts/types.mjs from schema/api.json; change the Python models, then run
// 'make schema'.

import type { JsonValue } from "./json";
import type { Workflow } from "./workflow";

/**
 * What the routes take and give.
 */
export interface Api {
  Accepted: Accepted;
  Cancelled: Cancelled;
  ExtensionList: ExtensionList;
  Freed: Freed;
  Gallery: Gallery;
  Health: Health;
  JobChange: JobChange;
  JobList: JobList;
  JobView: JobView;
  Log: Log;
  Models: Models;
  Opened: Opened;
  ProblemView: ProblemView;
  Problems: Problems;
  QueueState: QueueState;
  RunInputs: RunInputs;
  RunResult: RunResult;
  SettingsBody: SettingsBody;
  SettingsSaved: SettingsSaved;
  SubmitBody: SubmitBody;
  SystemView: SystemView;
  Uploads: Uploads;
  WorkflowList: WorkflowList;
  WorkflowSaved: WorkflowSaved;
  WorkflowVersions: WorkflowVersions;
}
/**
 * What was handed in is safe on disk and waits for its turn.
 */
export interface Accepted {
  /**
   * Of the first job.
   */
  id: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  jobs: JobView[];
  batch: string;
  /**
   * As `nodeflow check` has them.
   */
  warnings: Finding[];
}
/**
 * A job: a workflow with its inputs, handed in to be run once.
 */
export interface JobView {
  id: string;
  /**
   * Counts up; for people.
   */
  number: number;
  /**
   * Name of the workflow.
   */
  name: string;
  /**
   * Saved workflow that it came from.
   */
  path: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  /**
   * Higher runs first.
   */
  priority: number;
  /**
   * Among equal priorities, lower runs first.
   */
  position: number;
  /**
   * Shared by jobs that were handed in together.
   */
  batch: string;
  /**
   * Job that was run again.
   */
  parent: string;
  /**
   * As they were handed in.
   */
  inputs: {
    [k: string]: JsonValue;
  };
  only: string[];
  /**
   * Seconds since 1970, as all times.
   */
  submitted: number;
  started?: number | null;
  finished?: number | null;
  attempts: number;
  seconds?: number | null;
  outputs: {
    [k: string]: OutputView;
  };
  /**
   * What end nodes saved.
   */
  files: {
    [k: string]: FileView[];
  };
  /**
   * Nodes by outcome.
   */
  counts: {
    [k: string]: number;
  };
  /**
   * Nodes that it asks for, as `run_started` told; 0 before that.
   */
  total: number;
  /**
   * Why it failed, as one sentence.
   */
  problem: string;
  /**
   * Only when one job is asked for.
   */
  nodes?: {
    [k: string]: NodeView;
  } | null;
}
/**
 * What an exposed output came to: files, or a value that is JSON.
 */
export interface OutputView {
  files?: FileView[] | null;
  value?: JsonValue;
  /**
   * Socket type of a value that cannot be shown.
   */
  type?: string | null;
}
/**
 * A file that a job made; `/api/results/{digest}` gives it.
 */
export interface FileView {
  /**
   * Names the content; it never changes.
   */
  digest: string;
  /**
   * Path inside the folder of outputs.
   */
  name: string;
  media_type: string;
  /**
   * Bytes.
   */
  size: number;
  width?: number | null;
  height?: number | null;
}
/**
 * What became of a node.
 */
export interface NodeView {
  /**
   * running, ran, memory, disk, skipped, failed or cancelled; memory and disk say which store had its value.
   */
  outcome: string;
  seconds: number;
  /**
   * Peak bytes of the worker while it ran.
   */
  memory: number;
  /**
   * Which part of its key was new, or where its value was.
   */
  why: string;
  /**
   * Digest of what its value is made of.
   */
  key: string;
  /**
   * Names of the files that it saved.
   */
  files: string[];
  /**
   * Why it failed.
   */
  sentence: string;
  /**
   * Where it failed, as Python tells it.
   */
  trace: string;
}
/**
 * One thing that is wrong with a workflow or its inputs.
 */
export interface Finding {
  code: string;
  severity: "error" | "warning";
  node?: string | null;
  input?: string | null;
  /**
   * JSON pointer (RFC 6901) to where it is.
   */
  pointer: string;
  sentence: string;
  way_out: string;
}
/**
 * How many jobs were cancelled.
 */
export interface Cancelled {
  cancelled: number;
}
/**
 * All extensions, by pack.
 */
export interface ExtensionList {
  extensions: ExtensionView[];
}
/**
 * The part of a pack that runs in the editor.
 */
export interface ExtensionView {
  pack: string;
  /**
   * Digest of its files; another one means other files.
   */
  version: string;
  /**
   * Its module, to be imported; relative to where the server is.
   */
  url: string;
  /**
   * It came with nodeflow, or `extensions` in the settings has it.
   */
  enabled: boolean;
}
/**
 * What workers hold now.
 */
export interface Freed {
  /**
   * Bytes by worker; null for one that will let go when its job is over.
   */
  workers: {
    [k: string]: number | null;
  };
}
/**
 * Pictures, the newest first.
 */
export interface Gallery {
  results: Picture[];
  /**
   * What `before` has to be for those that follow; null if these are the last.
   */
  next: number | null;
}
/**
 * A picture of the gallery.
 */
export interface Picture {
  /**
   * Names the content; it never changes.
   */
  digest: string;
  /**
   * Path inside the folder of outputs.
   */
  name: string;
  media_type: string;
  /**
   * Bytes.
   */
  size: number;
  width?: number | null;
  height?: number | null;
  /**
   * Counts up; the newest has the highest.
   */
  number: number;
  /**
   * What made it.
   */
  job: string;
}
/**
 * A server that works.
 */
export interface Health {
  status: string;
  version: string;
}
/**
 * Another place in the queue: by priority, or beside another job.
 */
export interface JobChange {
  priority?: number | null;
  /**
   * Id of a queued job.
   */
  before?: string | null;
  /**
   * Id of a queued job.
   */
  after?: string | null;
}
/**
 * Jobs, newest first.
 */
export interface JobList {
  jobs: JobView[];
  /**
   * All jobs of the journal by status.
   */
  counts: {
    [k: string]: number;
  };
  paused: boolean;
  /**
   * `before` of the next page; absent on the last.
   */
  next?: number | null;
}
/**
 * The newest lines of the log, oldest of them first.
 */
export interface Log {
  lines: string[];
}
/**
 * Files by kind: checkpoints, loras, inputs ...
 */
export interface Models {
  kinds: {
    [k: string]: ModelKind;
  };
}
/**
 * All files of one kind.
 */
export interface ModelKind {
  files: ModelFile[];
  /**
   * Folder into which more of them can be put.
   */
  put: string;
}
/**
 * A file, or a folder that counts as one.
 */
export interface ModelFile {
  /**
   * What a workflow calls it by.
   */
  name: string;
  /**
   * In bytes; of a folder all that is in it.
   */
  size: number;
  /**
   * Seconds since 1970.
   */
  modified: number;
  /**
   * The kind of model that it belongs to; empty if no pack knows.
   */
  family: string;
  /**
   * What people call a model, `Stable Diffusion 2, v-prediction`; empty if no pack says.
   */
  title: string;
  /**
   * In which most of its weights are stored: `fp16`, `bf16`, ...; empty if unknown.
   */
  precision: string;
  /**
   * Why it cannot be loaded; empty if it can, or if nobody knows.
   */
  problem: string;
  /**
   * Of its content (blake3); empty where it is not needed to tell files apart.
   */
  digest: string;
  /**
   * Names of the files with the same content; that of a file of another kind has its kind before it, as in `diffusion_models/flux.safetensors`.
   */
  same_as: string[];
}
/**
 * A workflow as the editor takes it.
 */
export interface Opened {
  /**
   * In today's format, however old the file is.
   */
  workflow: Workflow;
}
/**
 * Why a request failed (RFC 9457).
 */
export interface ProblemView {
  type: string;
  title: string;
  status: number;
  /**
   * What is wrong, with the value, and what to do.
   */
  detail: string;
  /**
   * Only of a workflow that fails.
   */
  problems?: Finding[] | null;
  [k: string]: unknown;
}
/**
 * Everything that is wrong with a workflow, as `nodeflow check` says it.
 */
export interface Problems {
  problems: Finding[];
}
/**
 * Whether jobs wait though a worker is free.
 */
export interface QueueState {
  paused: boolean;
}
/**
 * The inputs by name.
 */
export interface RunInputs {
  [k: string]: JsonValue;
}
/**
 * What a workflow came to.
 */
export interface RunResult {
  /**
   * Of the job.
   */
  id: string;
  status: "done";
  outputs: {
    [k: string]: ResultsView;
  };
}
/**
 * What an exposed output came to: files, or a value that is JSON.
 */
export interface ResultsView {
  files?: ResultView[] | null;
  value?: JsonValue;
  /**
   * Socket type of a value that cannot be shown.
   */
  type?: string | null;
}
/**
 * A file that a job made.
 */
export interface ResultView {
  /**
   * Where to get it.
   */
  url: string;
  /**
   * Names the content; it never changes.
   */
  digest: string;
  /**
   * Path inside the folder of outputs.
   */
  name: string;
  media_type: string;
  /**
   * Bytes.
   */
  size: number;
  width?: number | null;
  height?: number | null;
}
/**
 * The editor's settings; the server knows one key and keeps all.
 */
export interface SettingsBody {
  /**
   * Packs whose part in the editor is loaded.
   */
  extensions?: string[] | null;
  [k: string]: unknown;
}
/**
 * Settings that were written.
 */
export interface SettingsSaved {
  /**
   * As in the header, but without quotation marks.
   */
  etag: string;
}
/**
 * What is handed in: a workflow, or the name of one, and how it is to be run.
 */
export interface SubmitBody {
  /**
   * The document itself.
   */
  workflow?: {
    [k: string]: unknown;
  } | null;
  /**
   * A saved workflow instead.
   */
  path?: string | null;
  /**
   * A job whose workflow is run again instead.
   */
  job?: string | null;
  /**
   * Saved workflow that a `workflow` in the body came from, for the history.
   */
  origin?: string | null;
  /**
   * Values of exposed inputs by name, or of others as `node.input`.
   */
  inputs?: {
    [k: string]: JsonValue;
  };
  /**
   * Higher runs first.
   */
  priority?: number;
  /**
   * How many jobs; their seeds count up from the first.
   */
  batch?: number;
  /**
   * The seeds of a batch instead.
   */
  seeds?: number[] | null;
  /**
   * Nodes that are wanted, if not all.
   *
   * @maxItems 1000
   */
  only?: string[];
  /**
   * Address that is told when a job is over.
   */
  webhook?: string | null;
}
/**
 * A server, its machine and its workers.
 */
export interface SystemView {
  /**
   * Of nodeflow, Python and the libraries that matter.
   */
  versions: {
    [k: string]: string;
  };
  platform: string;
  pid: number;
  /**
   * Seconds since 1970.
   */
  started: number;
  /**
   * Seconds.
   */
  uptime: number;
  cpus: number;
  /**
   * Bytes of memory of the server itself, without workers.
   */
  rss: number;
  /**
   * Bytes of memory of the machine.
   */
  memory_total: number;
  /**
   * Of these, what can be had.
   */
  memory_available: number;
  folders: {
    [k: string]: FolderView;
  };
  workers: WorkerView[];
  /**
   * How many there are by status.
   */
  jobs: {
    [k: string]: number;
  };
  /**
   * No job is begun.
   */
  paused: boolean;
  /**
   * How many workers have died.
   */
  deaths: number;
  /**
   * Packs that cannot be used; `/api/nodes` says why.
   */
  broken_packs: string[];
  settings: BudgetView;
}
/**
 * A folder of the server, with the bytes of its disk.
 */
export interface FolderView {
  path: string;
  free: number;
  total: number;
}
/**
 * A worker process.
 */
export interface WorkerView {
  name: string;
  /**
   * It runs jobs once it is ready; `stopped` if there is no process at the moment.
   */
  state: "ready" | "starting" | "stopped";
  pid: number | null;
  /**
   * Bytes of memory when it was last heard of.
   */
  rss: number;
  /**
   * Name and precision of what it computes on; empty before it is ready.
   */
  device: {
    [k: string]: JsonValue;
  };
  /**
   * What its stores hold.
   */
  memory: {
    [k: string]: JsonValue;
  };
}
/**
 * Budgets from the settings, in bytes; `cpu_threads` is a number of threads.
 */
export interface BudgetView {
  memory: number;
  device_memory: number;
  model_memory: number;
  disk: number;
  cpu_threads: number;
}
/**
 * The first file that was sent, and in `files` all of them.
 */
export interface Uploads {
  name: string;
  digest: string;
  media_type: string;
  size: number;
  width: number;
  height: number;
  files: Uploaded[];
}
/**
 * A picture that nodes can load now.
 */
export interface Uploaded {
  /**
   * What a file input of a node takes.
   */
  name: string;
  /**
   * Of the content.
   */
  digest: string;
  media_type: string;
  /**
   * In bytes.
   */
  size: number;
  width: number;
  height: number;
}
/**
 * All workflows that can be run by name.
 */
export interface WorkflowList {
  workflows: WorkflowInfo[];
}
/**
 * A saved workflow, or a template.
 */
export interface WorkflowInfo {
  /**
   * Its name, parts joined by '/'.
   */
  path: string;
  /**
   * What its document calls it.
   */
  name: string;
  /**
   * It came with nodeflow, and nobody changes it.
   */
  template: boolean;
  /**
   * Seconds since 1970.
   */
  modified: number;
  /**
   * Bytes.
   */
  size: number;
  /**
   * As in the header, but without quotation marks.
   */
  etag: string;
  /**
   * Names of its exposed inputs.
   */
  inputs: string[];
  /**
   * Names of its exposed outputs.
   */
  outputs: string[];
  /**
   * Why it cannot be read as a workflow.
   */
  problem: string;
  /**
   * What its document says of itself.
   */
  description: string;
  /**
   * It has a picture, at `/thumbnail` behind its path.
   */
  thumbnail: boolean;
}
/**
 * A workflow that was written.
 */
export interface WorkflowSaved {
  path: string;
  etag: string;
  modified: number;
}
/**
 * The versions of a workflow, newest first.
 */
export interface WorkflowVersions {
  path: string;
  versions: WorkflowVersion[];
}
/**
 * One version of a workflow.
 */
export interface WorkflowVersion {
  number: number;
  etag: string;
  /**
   * When it was kept, in seconds since 1970.
   */
  time: number;
}
