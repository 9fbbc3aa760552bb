import { expect, it } from "vitest";
import { news } from "../../src/app/announce";
import { type Job, jobOf, type NodeRun } from "../../src/store/runs_state";
import { jobView } from "../store/runs_samples";

const job = (nodes: Record<string, NodeRun>, part: Partial<Job> = {}): Job => ({
  ...jobOf(jobView("j1", { status: "running" })),
  loaded: true,
  nodes,
  ...part,
});

it("tells of long nodes that ended and of every failure, once", () => {
  const before = job({ slow: { status: "running" }, kept: { status: "ran", seconds: 9 } });
  const now = job({
    slow: { status: "ran", seconds: 3 },
    kept: { status: "ran", seconds: 9 },
    quick: { status: "ran", seconds: 0.2 },
    bad: { status: "failed", sentence: "No such file." },
  });
  expect(news(before, now)).toEqual({
    done: [["slow", 3]],
    failed: [["bad", "No such file."]],
  });
  expect(news(now, now)).toEqual({ done: [], failed: [] });
});

it("keeps still about what happened before the page knew the job", () => {
  const now = job({ slow: { status: "ran", seconds: 3 } });
  const nothing = { done: [], failed: [] };
  expect(news(undefined, now)).toEqual(nothing);
  expect(news(job({}, { loaded: false }), now)).toEqual(nothing);
  expect(news(job({}, { status: "done" }), now)).toEqual(nothing);
});
