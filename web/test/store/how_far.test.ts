import { describe, expect, it } from "vitest";
import type { LiveEvent } from "../../src/server/messages";
import { nodeAt, percentOf, timeLeft } from "../../src/store/how_far";
import { fold } from "../../src/store/runs_fold";
import { NO_RUNS } from "../../src/store/runs_state";
import { begun, nodeBegun, nodeOver, over, planned, progress, queued } from "./runs_samples";

const job = (...events: LiveEvent[]) => fold(NO_RUNS, [queued("j1"), ...events], 0).jobs.j1;

describe("how far a job is", () => {
  it("counts the nodes that it was begun with, and the steps of those that run", () => {
    const begin = [begun("j1"), planned("j1", 4)];
    expect(percentOf(job(...begin))).toBe(0);
    expect(percentOf(job(...begin, nodeOver("j1", "a"), nodeBegun("j1", "b")))).toBe(25);
    expect(percentOf(job(...begin, nodeOver("j1", "a"), progress("j1", "b", 10)))).toBe(38);
  });

  it("never says that a job is done which is not", () => {
    expect(percentOf(job(begun("j1"), planned("j1", 1), nodeOver("j1", "a")))).toBe(99);
  });

  it("allows for nodes that were asked for late", () => {
    const late = ["a", "b", "c"].map((node) => nodeOver("j1", node));
    expect(percentOf(job(begun("j1"), planned("j1", 2), ...late, nodeBegun("j1", "d")))).toBe(75);
  });

  it("begins anew with a job that is tried again", () => {
    const again = queued("j1", { reason: "the worker died" });
    const before = [begun("j1"), planned("j1", 1), nodeOver("j1", "a")];
    expect(percentOf(job(...before, again, begun("j1", 2)))).toBe(0);
  });

  it("is not told of a job that waits, is over or is not known", () => {
    expect(percentOf(job())).toBeNull();
    expect(percentOf(job(begun("j1"), over("j1")))).toBeNull();
    expect(percentOf(undefined)).toBeNull();
  });
});

describe("the node that a job is at", () => {
  it("is the one that counts its steps, else any that runs", () => {
    const both = [begun("j1"), nodeBegun("j1", "a"), nodeBegun("j1", "b")];
    expect(nodeAt(job(...both))).toBe("a");
    expect(nodeAt(job(...both, progress("j1", "b", 1)))).toBe("b");
    expect(nodeAt(job(begun("j1")))).toBeNull();
  });
});

describe("the time left", () => {
  const told = (...steps: [step: number, at: number][]) =>
    steps.reduce(
      (state, [step, at]) => fold(state, [progress("j1", "a", step)], at),
      fold(fold(NO_RUNS, [queued("j1"), begun("j1")], 0), [nodeBegun("j1", "a")], 1000),
    ).jobs.j1?.nodes.a ?? expect.unreachable();

  it("follows the speed of the steps, and runs down between them", () => {
    const run = told([1, 5000], [2, 6000], [4, 8000]);
    expect(timeLeft(run, 8000)).toBe(16_000);
    expect(timeLeft(run, 8600)).toBe(15_400);
    expect(timeLeft(run, 99_000)).toBe(0);
  });

  it("is guessed from the beginning after the first step", () => {
    expect(timeLeft(told([1, 3000]), 3000)).toBe(38_000);
  });

  it("is measured anew when a node counts again", () => {
    expect(timeLeft(told([19, 3000], [20, 4000], [1, 10_000], [2, 10_500]), 10_500)).toBe(9000);
  });

  it("is not known of what does not count", () => {
    expect(timeLeft({ status: "running" }, 0)).toBeNull();
    expect(timeLeft({ status: "ran", step: 3, total: 4 }, 0)).toBeNull();
    expect(timeLeft(told([0, 3000]), 4000)).toBeNull();
  });
});
