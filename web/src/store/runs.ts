/**
 * Runs: a store of all jobs that matter here. Events change it as they come; what they do not tell
 * is fetched. What happens while an answer is on its way is folded into the answer again.
 */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Accepted, Gallery, JobView, SystemView } from "../gen/api";
import type { Api } from "../server/api";
import { ApiError, sentenceOf } from "../server/errors";
import type { LiveEvent, Preview } from "../server/messages";
import type { Connection } from "../server/socket";
import { again } from "./again";
import { Early } from "./early";
import { Previews, realUrls, type Urls } from "./previews";
import { fold, ordersOf } from "./runs_fold";
import { isOver, type Job, jobOf, NO_RUNS, type RunsState, type Worker } from "./runs_state";

export { nodeAt, percentOf, timeLeft } from "./how_far";
export type { Job, NodeRun, RunsGallery, RunsState, Worker } from "./runs_state";
export { isOver } from "./runs_state";

export interface RunsOptions {
  /** Something that could not be done, as a sentence. */
  readonly told?: (sentence: string) => void;
  readonly onNodes?: (errors: readonly string[]) => void;
  /** A saved workflow was written; its tag is empty if it was deleted. */
  readonly onWorkflow?: (path: string, etag: string) => void;
  readonly onSettings?: (etag: string) => void;
  /** A job is over, and the state has what it made. */
  readonly onFinished?: (job: Job) => void;
  readonly urls?: Urls;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface RunsStore extends StoreApi<RunsState> {
  /** Fold what the socket brings. */
  apply(events: readonly LiveEvent[], previews?: readonly Preview[]): void;
  connection(connection: Connection): void;
  /** Fetch the jobs anew, however long the server is away; for `onReset` of the socket. */
  refresh(): Promise<void>;
  /** Fetch a job with its nodes. */
  loadJob(id: string): Promise<void>;
  olderJobs(): Promise<void>;
  loadGallery(): Promise<void>;
  olderPictures(): Promise<void>;
  /**
   * Hand jobs in. Of what becomes of them nothing is told before `show` has put them where they
   * are seen.
   */
  handIn(ask: () => Promise<Accepted>, show: (accepted: Accepted) => void): Promise<void>;
  /** Jobs that are shown, so that they stay however many come after, with their nodes. */
  keep(ids: Iterable<string>): void;
  close(): void;
}

/** Jobs that are over and stay in memory, beyond those that somebody asked for. */
const ROOM = 200;
const PAGE = 100;
const MOST_ACTIVE = 1000;
/** Milliseconds in which whoever handed a job in says more of it than its event. */
const ASK_AFTER = 300;

type Change = (state: RunsState) => RunsState;

export function makeRuns(api: Api, options: RunsOptions = {}): RunsStore {
  return new Runs(api, options).store();
}

class Runs {
  readonly #api: Api;
  readonly #options: RunsOptions;
  readonly #previews: Previews;
  readonly #early = new Early();
  readonly #store = createStore<RunsState>(() => NO_RUNS);
  /** What happened while answers are on their way, one list for each. */
  readonly #meanwhile = new Set<LiveEvent[]>();
  readonly #loading = new Map<string, Promise<void>>();
  #kept: ReadonlySet<string> = new Set();
  #room = ROOM;
  #refreshes = 0;
  #closed = false;
  #asking: ReturnType<typeof setTimeout> | undefined;
  /** Jobs that were asked for already, whatever came of it. */
  readonly #asked = new Set<string>();
  /** Jobs of which it was told that they are over: an event and an answer may both have it. */
  readonly #told = new Set<string>();

  constructor(api: Api, options: RunsOptions) {
    this.#api = api;
    this.#options = options;
    this.#previews = new Previews(options.urls ?? realUrls);
  }

  store(): RunsStore {
    return {
      ...this.#store,
      apply: (events, previews = []) => this.#apply(events, previews),
      connection: (connection) => this.#store.setState({ connection }),
      refresh: () => this.#refresh(),
      loadJob: (id) => this.#once(`job ${id}`, () => this.#loadJob(id)),
      olderJobs: () => this.#once("older jobs", () => this.#olderJobs()),
      loadGallery: () => this.#once("gallery", () => this.#pictures(null)),
      olderPictures: () => this.#once("gallery", () => this.#olderPictures()),
      handIn: (ask, show) => this.#handIn(ask, show),
      keep: (ids) => this.#keep(ids),
      close: () => this.#close(),
    };
  }

  get #state() {
    return this.#store.getState();
  }

  #now() {
    return (this.#options.now ?? Date.now)();
  }

  readonly #isKnown = (id: string) => this.#state.jobs[id] !== undefined;

  #apply(some: readonly LiveEvent[], previews: readonly Preview[]) {
    const events = this.#early.pass(some, this.#isKnown);
    for (const list of this.#meanwhile) for (const event of events) list.push(event);
    this.#change((state) => this.#previews.show(fold(state, events, this.#now()), previews));
    this.#fillIn();
    for (const event of events) this.#tell(event);
  }

  #change(change: Change) {
    const before = this.#state;
    const after = this.#previews.settle(this.#trimmed(change(before)));
    if (after !== before) this.#store.setState(after, true);
  }

  #tell(event: LiveEvent) {
    const { onNodes, onWorkflow, onSettings } = this.#options;
    if (event.event === "nodes_changed") onNodes?.(event.errors);
    else if (event.event === "workflow_changed") onWorkflow?.(event.path, event.etag);
    else if (event.event === "settings_changed") onSettings?.(event.etag);
    else if (event.event === "job_finished") this.#tellOver(event.job);
  }

  #tellOver(id: string) {
    const job = this.#state.jobs[id];
    if (!job || !isOver(job) || this.#told.has(id)) return;
    this.#told.add(id);
    if (!job.loaded && this.#kept.has(id)) void this.#loadLater(id);
    this.#options.onFinished?.(job);
  }

  /** Do something to the state as an answer has it, and fold into it what happened since. */
  async #answered<T>(ask: () => Promise<T>, change: (state: RunsState, answer: T) => RunsState) {
    const meanwhile: LiveEvent[] = [];
    this.#meanwhile.add(meanwhile);
    try {
      const answer = await ask();
      if (this.#closed) return;
      // Lines of nodes are never in answers, so those that are there already would be twice there.
      const events = meanwhile.filter((event) => event.event !== "node_log");
      this.#change((state) => fold(change(state, answer), events, this.#now()));
    } finally {
      this.#meanwhile.delete(meanwhile);
    }
  }

  /** The same thing is asked for once at a time. */
  #once(what: string, work: () => Promise<void>): Promise<void> {
    const known = this.#loading.get(what);
    if (known) return known;
    const working = work().finally(() => this.#loading.delete(what));
    this.#loading.set(what, working);
    return working;
  }

  async #refresh() {
    this.#refreshes += 1;
    this.#early.forget(); // the answer has it
    const turn = this.#refreshes;
    const wanted = () => !this.#closed && turn === this.#refreshes;
    const api = this.#api;
    let active: readonly string[] = [];
    try {
      // The whole attempt is repeated, so that what happens meanwhile is noted from its start.
      await again(async () => {
        const status = ["queued", "running"] as const;
        const ask = () =>
          Promise.all([
            api.jobs({ limit: PAGE }),
            api.jobs({ status, limit: MOST_ACTIVE }),
            api.system(),
          ]);
        await this.#answered(ask, (state, [newest, waiting, system]) => {
          if (!wanted()) return state;
          this.#room = ROOM;
          active = [...state.running, ...state.queued];
          // What is told of those that are asked for comes with their own answer.
          const views = [...newest.jobs, ...waiting.jobs].filter(
            (view) => !this.#early.has(view.id),
          );
          return anew(state, views, newest.next ?? null, newest.paused, system, this.#kept);
        });
      }, wanted);
    } catch (error) {
      if (wanted()) this.#fault("The jobs cannot be listed", error);
      return;
    }
    if (!wanted()) return;
    // Nothing else tells of those that ended while nobody listened.
    for (const id of active) this.#tellOver(id);
    this.#fillIn();
    const nodes = [...this.#kept, ...this.#state.running];
    const gallery = this.#state.gallery.loaded ? [this.#pictures(null)] : [];
    await Promise.allSettled([...new Set(nodes)].map((id) => this.#loadLater(id)).concat(gallery));
  }

  async #loadJob(id: string) {
    await this.#answered(
      () => this.#api.job(id),
      (state, view) => merged(state, [view]),
    );
  }

  async #loadLater(id: string) {
    try {
      await this.#once(`job ${id}`, () => this.#loadJob(id));
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof ApiError && error.status === 404)) {
        this.#fault("A job cannot be read", error);
      } else if (this.#state.jobs[id]) {
        // It left the history while this page was away.
        this.#change((state) => {
          const { [id]: _, ...jobs } = state.jobs;
          return { ...state, jobs, ...ordersOf(jobs) };
        });
      }
    }
  }

  async #olderJobs() {
    const before = this.#state.older;
    if (before === null) return;
    this.#room += PAGE;
    await this.#answered(
      () => this.#api.jobs({ before, limit: PAGE }),
      (state, list) => ({ ...merged(state, list.jobs), older: list.next ?? null }),
    );
  }

  async #olderPictures() {
    const { next, loaded } = this.#state.gallery;
    if (!loaded || next !== null) await this.#pictures(next);
  }

  async #pictures(before: number | null) {
    await this.#answered(
      () => this.#api.results(before, PAGE),
      (state, page) => ({ ...state, gallery: withPage(state.gallery, page, before !== null) }),
    );
  }

  async #handIn(ask: () => Promise<Accepted>, show: (accepted: Accepted) => void) {
    this.#early.begin();
    try {
      const accepted = await ask();
      if (this.#closed) return;
      this.#change((state) => {
        const fresh = accepted.jobs.filter((view) => !state.jobs[view.id]);
        // All events of those that wait will be seen.
        const views = fresh.map((view) =>
          view.status === "queued" ? { ...view, nodes: {} } : view,
        );
        return merged(state, views);
      });
      show(accepted);
      for (const view of accepted.jobs) this.#tellOver(view.id);
    } finally {
      this.#apply(this.#early.end(this.#isKnown), []);
    }
  }

  #keep(ids: Iterable<string>) {
    const before = this.#kept;
    this.#kept = new Set(ids);
    for (const id of this.#kept) {
      if (!before.has(id) && !this.#state.jobs[id]?.loaded) void this.#loadLater(id);
    }
  }

  /** Jobs that others handed in are told by events that do not tell all. */
  #fillIn() {
    if (this.#asking !== undefined || this.#unknown().length === 0) return;
    this.#asking = setTimeout(() => {
      this.#asking = undefined;
      const ids = this.#unknown();
      if (ids.length === 0 || this.#closed) return;
      for (const id of ids) this.#asked.add(id);
      const limit = Math.min(MOST_ACTIVE, ids.length + 20);
      const asked = this.#answered(
        () => this.#api.jobs({ limit }),
        (state, list) =>
          merged(
            state,
            list.jobs.filter((view) => state.jobs[view.id]),
          ),
      );
      asked.catch(() => {
        for (const id of ids) this.#asked.delete(id); // what happens next makes it ask again
      });
    }, ASK_AFTER);
  }

  #unknown(): string[] {
    const jobs = Object.values(this.#state.jobs);
    const unknown = jobs.filter((job) => job.number === 0 && !this.#asked.has(job.id));
    return unknown.map((job) => job.id);
  }

  /** So many jobs that are over, and those that are shown. */
  #trimmed(state: RunsState): RunsState {
    const over = state.order.filter((id) => {
      const job = state.jobs[id];
      return job && isOver(job) && !this.#kept.has(id);
    });
    if (over.length <= this.#room) return state;
    const jobs = { ...state.jobs };
    for (const id of over.slice(this.#room)) delete jobs[id];
    const oldest = jobs[over[this.#room - 1] ?? ""]?.number ?? 0;
    return { ...state, jobs, ...ordersOf(jobs), older: oldest || state.older };
  }

  #fault(what: string, error: unknown) {
    this.#options.told?.(`${what}: ${sentenceOf(error)}`);
  }

  #close() {
    this.#closed = true;
    clearTimeout(this.#asking);
    this.#previews.clear();
  }
}

/** Put jobs as the server has them over what is known of them. */
function merged(state: RunsState, views: readonly JobView[]): RunsState {
  const jobs: Record<string, Job> = { ...state.jobs };
  for (const view of views) jobs[view.id] = jobOf(view, jobs[view.id]);
  return { ...state, jobs, ...ordersOf(jobs) };
}

/** The state without jobs that the server does not have any more. */
function anew(
  state: RunsState,
  views: readonly JobView[],
  older: number | null,
  paused: boolean,
  system: SystemView,
  kept: ReadonlySet<string>,
): RunsState {
  const stay = Object.entries(state.jobs).filter(([id, job]) => kept.has(id) && isOver(job));
  const listed = new Set(views.map((view) => view.id));
  const known = Object.entries(state.jobs).filter(([id]) => listed.has(id));
  // Events may be missing, so nodes that are to be known have to be asked for.
  const jobs = Object.fromEntries(
    [...stay, ...known].map(([id, job]) => [id, { ...job, loaded: job.loaded && isOver(job) }]),
  );
  const workers: Record<string, Worker> = {};
  for (const { name, state: is } of system.workers) workers[name] = { state: is, sentence: "" };
  return { ...merged({ ...state, jobs }, views), older, paused, workers, loaded: true };
}

function withPage(gallery: RunsState["gallery"], page: Gallery, behind: boolean) {
  const { results, next } = page;
  const known = new Set(behind ? gallery.pictures.map((picture) => picture.digest) : []);
  const fresh = results.filter((picture) => !known.has(picture.digest));
  return { pictures: behind ? [...gallery.pictures, ...fresh] : fresh, next, loaded: true };
}
