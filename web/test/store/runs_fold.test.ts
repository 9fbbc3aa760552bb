import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LiveEvent } from "../../src/server/messages";
import { fold } from "../../src/store/runs_fold";
import { jobOf, NO_RUNS, type RunsState } from "../../src/store/runs_state";
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

const NOW = 50_000;
const folded = (events: readonly LiveEvent[], state: RunsState = NO_RUNS, now = NOW) =>
  fold(state, events, now);
/** Two jobs, of which the first runs with two nodes. */
const running = () =>
  folded([queued("j1"), queued("j2"), begun("j1"), nodeBegun("j1", "a"), nodeBegun("j1", "g/b")]);

/** Any event of few jobs, nodes and files, so that they often meet. */
const anyEvent: fc.Arbitrary<LiveEvent> = fc
  .tuple(
    fc.constantFrom("j1", "j2", "j3"),
    fc.constantFrom("a", "b"),
    fc.constantFrom("d1", "d2"),
    fc.integer({ min: 0, max: 4 }),
  )
  .chain(([job, node, digest, number]) =>
    fc.constantFrom(
      queued(job, { priority: number }),
      queued(job, { reason: "the worker died" }),
      begun(job),
      nodeBegun(job, node),
      progress(job, node, number),
      nodeOver(job, node),
      event("node_log", { job, node, text: `line ${number}` }),
      event("node_failed", { job, node, type: "t", sentence: "No.", trace: "line 1" }),
      over(job, { files: { [node]: [picture(digest)] }, counts: { ran: number } }),
      over(job, { status: "failed", outputs: { x: { files: [picture(digest)] } } }),
      event("job_moved", { job, priority: number, position: number }),
      event("job_removed", { job }),
      event("result_removed", { digest }),
      event("queue_changed", { paused: number > 1 }),
      event("worker_changed", { worker: "w", state: "died", sentence: `${number}` }),
      event("nodes_changed", { errors: [] }),
    ),
  );

describe("the fold", () => {
  it("is the same in however many batches the events come", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), fc.array(fc.nat(9)), (events, cuts) => {
        let parts = NO_RUNS;
        let rest = events;
        for (const cut of cuts) {
          parts = folded(rest.slice(0, cut), parts);
          rest = rest.slice(cut);
        }
        expect(folded(rest, parts)).toEqual(folded(events));
      }),
      { numRuns: 500 },
    );
  });

  it("leaves what it was given as it was", () => {
    fc.assert(
      fc.property(fc.array(anyEvent), fc.array(anyEvent), (first, then) => {
        const state = folded(first);
        const copy = structuredClone(state);
        folded(then, state);
        expect(state).toEqual(copy);
      }),
    );
  });

  it("gives the same object if nothing changed", () => {
    const state = running();
    expect(folded([], state)).toBe(state);
    expect(folded([progress("j9", "a", 1), event("nodes_changed", { errors: [] })], state)).toBe(
      state,
    );
    expect(folded([event("queue_changed", { paused: false })], state)).toBe(state);
  });

  it("changes one node, and the way to it, when a step comes", () => {
    const before = running();
    const state = folded([progress("j1", "a", 3)], before);
    expect(state.jobs.j1?.nodes.a).toMatchObject({ status: "running", step: 3, total: 20 });
    expect(state.jobs.j1?.nodes["g/b"]).toBe(before.jobs.j1?.nodes["g/b"]);
    expect(state.jobs.j2).toBe(before.jobs.j2);
    for (const list of ["order", "queued", "running", "gallery", "workers"] as const) {
      expect(state[list]).toBe(before[list]);
    }
  });
});

describe("jobs", () => {
  it("stand in the order in which they were handed in, and in which they will run", () => {
    const state = folded([
      queued("j1", { time: 1 }),
      queued("j2", { time: 2 }),
      queued("j3", { time: 3, priority: 5 }),
      queued("j4", { time: 3 }),
      event("job_moved", { job: "j4", priority: 0, position: 1.5 }),
      begun("j1"),
    ]);
    expect(state.queued).toEqual(["j3", "j4", "j2"]);
    expect(state.running).toEqual(["j1"]);
    expect(state.order.slice(2)).toEqual(["j2", "j1"]);
  });

  it("that wait again after a worker died begin anew", () => {
    const state = folded([queued("j1", { reason: "it died", position: 0.5 })], running());
    expect(state.jobs.j1).toMatchObject({ status: "queued", started: null, nodes: {} });
    expect(state.queued).toEqual(["j1", "j2"]);
  });

  it("that are over stay as they are, whatever comes late", () => {
    const state = folded([over("j1")], running());
    expect(folded([begun("j1"), nodeBegun("j1", "a"), queued("j1", { reason: "x" })], state)).toBe(
      state,
    );
  });

  it("give their files to their nodes, and their pictures to the gallery", () => {
    const text = { ...picture("t"), media_type: "text/plain" };
    const state = folded(
      [
        nodeOver("j1", "a", { files: ["1.png"] }),
        over("j1", {
          outputs: { image: { files: [picture("d1")] } },
          files: { a: [picture("d1"), picture("d2"), text] },
          counts: { ran: 2, disk: 3 },
        }),
      ],
      running(),
    );
    const job = state.jobs.j1;
    expect(job).toMatchObject({ status: "done", finished: 1000, seconds: 2, total: 5 });
    expect(job?.nodes.a?.files).toHaveLength(3);
    expect(state.gallery.pictures.map(({ digest, job: by }) => [digest, by])).toEqual([
      ["d2", "j1"],
      ["d1", "j1"],
    ]);
    // Three nodes were kept, and no event has told which.
    expect(job?.loaded).toBe(false);
    // A node that worked when its job ended did not get done.
    expect(job?.nodes["g/b"]?.status).toBe("cancelled");
  });

  it("show the same content once, where it was made last", () => {
    const made = (job: string) => over(job, { files: { a: [picture("d1")] } });
    const state = folded([made("j1"), made("j2")], running());
    expect(state.gallery.pictures.map(({ job }) => job)).toEqual(["j2"]);
  });

  it("that are removed take their pictures along", () => {
    const state = folded(
      [over("j1", { files: { a: [picture("d1")] } }), event("job_removed", { job: "j1" })],
      running(),
    );
    expect(Object.keys(state.jobs)).toEqual(["j2"]);
    expect(state.order).toEqual(["j2"]);
    expect(state.gallery.pictures).toEqual([]);
  });
});

describe("a deleted file", () => {
  it("is shown nowhere any more", () => {
    const files = { a: [picture("d1"), picture("d2")] };
    const outputs = { x: { files: [picture("d1")] }, y: { value: 3 } };
    const before = folded([over("j1", { files, outputs })], running());
    const state = folded([event("result_removed", { digest: "d1" })], before);
    const digests = (list: readonly { digest: string }[] | null | undefined) =>
      list?.map((one) => one.digest);
    expect(digests(state.gallery.pictures)).toEqual(["d2"]);
    expect(digests(state.jobs.j1?.files.a)).toEqual(["d2"]);
    expect(digests(state.jobs.j1?.nodes.a?.files)).toEqual(["d2"]);
    expect(digests(state.jobs.j1?.outputs.x?.files)).toEqual([]);
    expect(state.jobs.j1?.outputs.y).toBe(before.jobs.j1?.outputs.y);
    expect(state.jobs.j1?.nodes["g/b"]).toBe(before.jobs.j1?.nodes["g/b"]);
    expect(state.jobs.j2).toBe(before.jobs.j2);
  });
});

describe("nodes", () => {
  const node = (...events: LiveEvent[]) => folded(events, running()).jobs.j1?.nodes.a;

  it("keep a step that was told before they were said to begin", () => {
    const state = folded([queued("j1"), begun("j1"), progress("j1", "a", 2), nodeBegun("j1", "a")]);
    expect(state.jobs.j1?.nodes.a).toMatchObject({ status: "running", step: 2, started: NOW });
  });

  it("lose their steps when they are done, and take none after it", () => {
    const done = node(progress("j1", "a", 2), nodeOver("j1", "a"), progress("j1", "a", 3));
    const told = { status: "ran", seconds: 1, memory: 9, why: "new", key: "k" };
    expect(done).toEqual({ ...told, started: NOW });
  });

  it("fail with a sentence, and with the place in the code", () => {
    const failed = event("node_failed", {
      job: "j1",
      node: "a",
      type: "t",
      sentence: "No.",
      trace: "x",
    });
    expect(node(failed)).toMatchObject({ status: "failed", sentence: "No.", trace: "x" });
  });

  it("keep their newest lines", () => {
    const line = (text: string) => event("node_log", { job: "j1", node: "c", text });
    const state = folded(
      Array.from({ length: 250 }, (_, at) => line(`${at}`)),
      running(),
    );
    expect(state.jobs.j1?.nodes.c?.logs).toHaveLength(200);
    expect(state.jobs.j1?.nodes.c?.logs?.at(-1)).toBe("249");
  });
});

describe("a job as the server has it", () => {
  it("keeps what only this page has seen", () => {
    const known = folded(
      [progress("j1", "a", 3), event("node_log", { job: "j1", node: "g/b", text: "hm" })],
      running(),
    ).jobs.j1;
    const nodes = { a: nodeView("running"), "g/b": nodeView("ran"), c: nodeView("disk") };
    const job = jobOf(jobView("j1", { status: "running", nodes }), known);
    expect(job.nodes.a).toMatchObject({ status: "running", step: 3 });
    expect(job.nodes["g/b"]).toMatchObject({ status: "ran", logs: ["hm"] });
    expect(job.nodes.c?.status).toBe("disk");
    expect(job.loaded).toBe(true);
  });

  it("tells where a node failed, after a reload too", () => {
    const bad = nodeView("failed", { sentence: "No.", trace: "Traceback" });
    const job = jobOf(jobView("j1", { status: "failed", nodes: { bad } }));
    expect(job.nodes.bad).toMatchObject({ status: "failed", sentence: "No.", trace: "Traceback" });
  });

  it("has its files on its nodes", () => {
    const files = { save: [picture("d1")] };
    const nodes = { save: nodeView("ran") };
    const job = jobOf(jobView("j1", { status: "done", files, nodes, counts: { ran: 1, disk: 2 } }));
    expect(job.nodes.save).toMatchObject({ status: "ran", files: files.save });
    expect(job.total).toBe(3);
  });
});
