import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JobList, JobView, Picture } from "../../src/gen/api";
import { ApiError, Offline } from "../../src/server/api";
import { held, list, started } from "./runs_kit";
import {
  begun,
  event,
  jobView,
  nodeBegun,
  nodeOver,
  nodeView,
  over,
  picture,
  progress,
  queued,
} from "./runs_samples";

const preview = (job: string, node: string) => ({ job, node, blob: new Blob(["x"]) });
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("jobs", () => {
  it("are fetched, with the nodes of those that run", async () => {
    const { runs, jobs } = started();
    const nodes = { a: nodeView("ran") };
    jobs.push(jobView("j2", { status: "running", nodes }), jobView("j1", { status: "done" }));
    await runs.refresh();
    const state = runs.getState();
    expect(state).toMatchObject({ order: ["j2", "j1"], running: ["j2"], loaded: true });
    expect(state.workers.w1?.state).toBe("ready");
    expect(state.jobs.j2?.nodes.a?.status).toBe("ran");
  });

  it("are fetched as soon as the server is back", async () => {
    const { runs, jobs, calls } = started();
    calls.system.mockRejectedValueOnce(new Offline("away"));
    jobs.push(jobView("j1"));
    const done = runs.refresh();
    await vi.advanceTimersByTimeAsync(600);
    await done;
    expect(runs.getState().order).toEqual(["j1"]);
  });

  it("tell why they cannot be fetched, if asking again would not help", async () => {
    const told = vi.fn();
    const { runs, calls } = started({ told });
    calls.jobs.mockRejectedValue(new ApiError(401, "A token is needed."));
    await runs.refresh();
    expect(told).toHaveBeenCalledExactlyOnceWith("The jobs cannot be listed: A token is needed.");
  });

  it("lose nothing that happens while they are fetched", async () => {
    const { runs, calls } = started();
    const { answer, give } = held<JobList>();
    calls.jobs.mockReturnValueOnce(answer);
    const done = runs.refresh();
    runs.apply([queued("j2"), begun("j1"), nodeBegun("j1", "a"), over("j1")]);
    give(list([jobView("j1", { status: "queued" })]));
    await done;
    const { jobs, order } = runs.getState();
    expect(order).toEqual(["j2", "j1"]);
    expect(jobs.j1).toMatchObject({ status: "done" });
    expect(jobs.j1?.nodes.a?.status).toBe("cancelled");
  });

  it("say nothing twice because they were fetched meanwhile", async () => {
    const { runs, calls } = started();
    runs.apply([queued("j1"), begun("j1")]);
    const { answer, give } = held<JobView>();
    calls.job.mockReturnValueOnce(answer);
    const done = runs.loadJob("j1");
    runs.apply([nodeBegun("j1", "a"), event("node_log", { job: "j1", node: "a", text: "hm" })]);
    give(jobView("j1", { status: "running", nodes: {} }));
    await done;
    expect(runs.getState().jobs.j1?.nodes.a?.logs).toEqual(["hm"]);
  });
});

describe("jobs that were not fetched", () => {
  it("are asked for once, if others handed them in", async () => {
    const { runs, jobs, calls } = started();
    jobs.push(jobView("j7", { inputs: { prompt: "cat" } }));
    runs.apply([queued("j7"), queued("j8")]);
    await vi.advanceTimersByTimeAsync(300);
    expect(runs.getState().jobs.j7).toMatchObject({ number: 7, inputs: { prompt: "cat" } });
    runs.apply([begun("j7")]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(calls.jobs).toHaveBeenCalledTimes(1);
  });

  it("and are shown have the nodes that no event told of when they end", async () => {
    const { runs, jobs, calls } = started();
    jobs.push(
      jobView("j1", { status: "done", nodes: { a: nodeView("ran"), b: nodeView("disk") } }),
    );
    runs.apply([queued("j1"), begun("j1"), nodeBegun("j1", "a"), nodeOver("j1", "a")]);
    runs.keep(["j1"]);
    runs.apply([over("j1", { counts: { ran: 1, disk: 1 } })]);
    runs.keep(["j1"]);
    await settled();
    expect(calls.job).toHaveBeenCalledExactlyOnceWith("j1");
    expect(runs.getState().jobs.j1?.nodes.b?.status).toBe("disk");
  });

  it("and left the history while nobody looked are gone", async () => {
    const { runs } = started();
    runs.apply([queued("j1"), over("j1", { counts: { disk: 1 } })]);
    runs.keep(["j1"]);
    await settled();
    expect(runs.getState().order).toEqual([]);
  });

  it("and are over stay in memory up to a number, but those that are shown always", async () => {
    const { runs, calls, jobs: there } = started();
    const all = Array.from({ length: 260 }, (_, at) => `j${at + 1}`);
    const jobs = all.map((id) => jobView(id, { status: "done" }));
    there.push(jobView("j61", { status: "done", nodes: {} }));
    calls.jobs.mockResolvedValueOnce(list(jobs.slice(60)));
    await runs.refresh();
    runs.keep(["j61"]);
    runs.apply(["j261", "j262"].flatMap((id) => [queued(id), over(id)]));
    const { order, older } = runs.getState();
    expect(order).toHaveLength(201);
    expect(order).toContain("j61");
    expect(order).not.toContain("j62");
    expect(older).toBe(63);
    calls.jobs.mockResolvedValueOnce(list(jobs.slice(0, 62).reverse(), null));
    await runs.olderJobs();
    expect(calls.jobs).toHaveBeenLastCalledWith({ before: 63, limit: 100 });
    expect(runs.getState().order).toHaveLength(262);
    expect(runs.getState().older).toBeNull();
  });
});

describe("what else happens", () => {
  it("is told to whom it concerns", () => {
    const options = {
      onNodes: vi.fn(),
      onWorkflow: vi.fn(),
      onSettings: vi.fn(),
      onFinished: vi.fn(),
    };
    const { runs } = started(options);
    runs.apply([
      event("nodes_changed", { errors: ["No."] }),
      event("workflow_changed", { path: "cat", etag: "" }),
      event("settings_changed", { etag: "s1" }),
      queued("j1"),
      over("j1", { status: "failed", problem: "No." }),
    ]);
    expect(options.onNodes).toHaveBeenCalledWith(["No."]);
    expect(options.onWorkflow).toHaveBeenCalledWith("cat", "");
    expect(options.onSettings).toHaveBeenCalledWith("s1");
    expect(options.onFinished.mock.calls[0]?.[0]).toMatchObject({ id: "j1", problem: "No." });
  });
});

describe("previews", () => {
  const working = () => {
    const made = started();
    made.runs.apply([queued("j1"), begun("j1"), nodeBegun("j1", "a")], [preview("j1", "a")]);
    const shown = () => made.runs.getState().jobs.j1?.nodes.a?.preview;
    return { ...made, shown };
  };

  it("are replaced, and the old ones let go of", () => {
    const { runs, shown, revoked } = working();
    expect(shown()).toBe("blob:0");
    runs.apply([progress("j1", "a", 2)], [preview("j1", "a"), preview("j9", "a")]);
    expect(shown()).toBe("blob:1");
    expect(revoked).toEqual(["blob:0"]);
  });

  it("stay when a job is over, until it leaves", () => {
    const { runs, shown, revoked } = working();
    runs.apply([nodeOver("j1", "a"), over("j1")], [preview("j1", "a")]);
    expect(shown()).toBe("blob:0");
    expect(revoked).toEqual([]);
    runs.apply([event("job_removed", { job: "j1" })]);
    expect(revoked).toEqual(["blob:0"]);
  });

  it("give way to files, and to another attempt", () => {
    const first = working();
    first.runs.apply([over("j1", { files: { a: [picture("d1")] } })]);
    expect(first.shown()).toBeUndefined();
    expect(first.revoked).toEqual(["blob:0"]);
    const second = working();
    second.runs.apply([queued("j1", { reason: "it died" })]);
    expect(second.revoked).toEqual(["blob:0"]);
  });

  it("end with the page", () => {
    const { runs, revoked } = working();
    runs.close();
    expect(revoked).toEqual(["blob:0"]);
  });
});

describe("the gallery", () => {
  const kept = (number: number): Picture => ({ ...picture(`d${number}`), number, job: "j1" });

  it("is read page by page, and grows by itself", async () => {
    const { runs, calls } = started();
    calls.results.mockResolvedValueOnce({ results: [kept(3), kept(2)], next: 2 });
    await runs.loadGallery();
    runs.apply([over("j5", { files: { a: [picture("new")] } })]);
    calls.results.mockResolvedValueOnce({ results: [kept(1)], next: null });
    await runs.olderPictures();
    expect(calls.results.mock.calls.map(([before]) => before)).toEqual([null, 2]);
    const { pictures, next } = runs.getState().gallery;
    expect(pictures.map((one) => one.digest)).toEqual(["new", "d3", "d2", "d1"]);
    expect(next).toBeNull();
    await runs.olderPictures();
    expect(calls.results).toHaveBeenCalledTimes(2);
  });

  it("misses no picture that is made while it is read", async () => {
    const { runs, calls } = started();
    const { answer, give } = held<{ results: Picture[]; next: null }>();
    calls.results.mockReturnValueOnce(answer);
    const done = runs.loadGallery();
    runs.apply([over("j5", { files: { a: [picture("new")] } })]);
    give({ results: [kept(1)], next: null });
    await done;
    expect(runs.getState().gallery.pictures.map((one) => one.digest)).toEqual(["new", "d1"]);
  });
});
