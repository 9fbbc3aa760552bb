import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Accepted } from "../../src/gen/api";
import { ApiError } from "../../src/server/api";
import { held, started } from "./runs_kit";
import { begun, event, jobView, nodeBegun, nodeView, over, planned, queued } from "./runs_samples";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("jobs that are handed in here", () => {
  /** With all that is told of the end of jobs. */
  function telling() {
    const told: string[] = [];
    const made = started({ onFinished: (job) => void told.push(`${job.id} ${job.status}`) });
    return { ...made, told };
  }

  /** A job, handed in; the answer comes when the test says so. */
  function handing() {
    const made = telling();
    const { told } = made;
    const { answer, give } = held<Accepted>();
    const seen: (string | undefined)[] = [];
    const done = made.runs.handIn(
      () => answer,
      ({ id }) => {
        told.push(`${id} is shown`);
        made.runs.subscribe((now) => seen.push(now.jobs[id]?.nodes.a?.status));
      },
    );
    const jobs = [jobView("j1", { path: "cat" })];
    const accept = () => give({ id: "j1", status: "queued", jobs, batch: "", warnings: [] });
    return { ...made, seen, done, accept };
  }

  const FAILED = [
    queued("j1"),
    begun("j1"),
    nodeBegun("j1", "a"),
    event("node_failed", { job: "j1", node: "a", type: "fail", sentence: "No.", trace: "" }),
    over("j1", { status: "failed", counts: { failed: 1 } }),
  ] as const;

  it("are shown before their end is told, though it came before the answer", async () => {
    const { runs, calls, told, seen, done, accept } = handing();
    runs.apply(FAILED);
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([]);
    accept();
    await done;
    expect(told).toEqual(["j1 is shown", "j1 failed"]);
    expect(seen).toEqual(["failed"]);
    expect(runs.getState().jobs.j1).toMatchObject({ number: 1, path: "cat", loaded: true });
    expect(calls.jobs).not.toHaveBeenCalled();
  });

  it("keep nobody waiting who knows the job already", async () => {
    const { runs, told, done, accept } = handing();
    runs.apply([queued("j1"), begun("j1"), planned("j1", 9)]);
    accept();
    await done;
    expect(runs.getState().jobs.j1).toMatchObject({ status: "running", total: 9 });
    const second = held<Accepted>();
    void runs.handIn(
      () => second.answer,
      () => {},
    );
    runs.apply([over("j1")]);
    expect(told).toEqual(["j1 is shown", "j1 done"]);
  });

  it("wait each for its own answer, and others until none is on its way", async () => {
    const { runs, told, done, accept } = handing();
    const second = held<Accepted>();
    const later = runs.handIn(
      () => second.answer,
      ({ id }) => void told.push(`${id} is shown`),
    );
    runs.apply([queued("j2"), over("j2"), queued("j3"), over("j3"), ...FAILED]);
    accept();
    await done;
    expect(told).toEqual(["j1 is shown", "j1 failed"]);
    second.give({ id: "j2", status: "queued", jobs: [jobView("j2")], batch: "", warnings: [] });
    await later;
    expect(told.slice(2)).toEqual(["j2 is shown", "j2 done", "j3 done"]);
  });

  it("are listed as the server has them when all is fetched anew meanwhile", async () => {
    const { runs, told, done, accept } = handing();
    runs.apply([queued("j9"), over("j9")]);
    await runs.refresh();
    accept();
    await done;
    expect(runs.getState().order).toEqual(["j1"]);
    expect(told).toEqual(["j1 is shown"]);
  });

  it("are told once they are over, though no event of them was heard", async () => {
    const { runs, jobs, told, done, accept } = handing();
    jobs.push(jobView("j1", { status: "failed", nodes: { a: nodeView("failed") } }));
    await runs.refresh(); // the connection is there only now
    expect(told).toEqual([]);
    accept();
    await done;
    expect(told).toEqual(["j1 is shown", "j1 failed"]);
  });

  it("are told once they are over, though the connection was lost after the answer", async () => {
    const { runs, jobs, told, done, accept } = handing();
    accept();
    await done;
    jobs.push(jobView("j1", { status: "done" }));
    await runs.refresh();
    expect(told).toEqual(["j1 is shown", "j1 done"]);
    runs.apply([over("j1")]);
    await runs.refresh();
    expect(told.slice(2)).toEqual([]);
  });

  it("are told by their events, whatever is fetched meanwhile", async () => {
    const { runs, jobs, told, seen, done, accept } = handing();
    jobs.push(jobView("j1", { status: "failed", nodes: { a: nodeView("failed") } }));
    const fetched = runs.refresh();
    runs.apply(FAILED);
    await fetched;
    accept();
    await done;
    expect(told).toEqual(["j1 is shown", "j1 failed"]);
    expect(seen).toEqual(["failed"]);
  });

  it("and are not taken leave what others do as it is", async () => {
    const { runs, told } = telling();
    const refused = runs.handIn(
      async () => {
        runs.apply([queued("j2"), over("j2")]);
        throw new ApiError(422, "It cannot run.");
      },
      () => void told.push("shown"),
    );
    await expect(refused).rejects.toThrow("It cannot run.");
    expect(told).toEqual(["j2 done"]);
  });

  it("are over when the answer to a second attempt comes: their nodes are fetched", async () => {
    const { runs, jobs, told } = telling();
    const view = jobView("j1", { status: "done", counts: { ran: 1 } });
    jobs.push({ ...view, nodes: { a: nodeView("ran") } });
    const answer: Accepted = { id: "j1", status: "done", jobs: [view], batch: "", warnings: [] };
    await runs.handIn(
      async () => {
        runs.apply([queued("j1"), begun("j1"), nodeBegun("j1", "a"), over("j1")]);
        return answer;
      },
      () => runs.keep(["j1"]),
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["j1 done"]);
    expect(runs.getState().jobs.j1?.nodes.a?.status).toBe("ran");
  });
});
