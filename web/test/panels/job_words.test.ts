import { describe, expect, it } from "vitest";
import { batchPlaces } from "../../src/panels/job_words";
import { jobOf } from "../../src/store/runs_state";
import { jobView } from "../store/runs_samples";

const jobs = (...parts: [id: string, batch: string][]) =>
  Object.fromEntries(parts.map(([id, batch]) => [id, jobOf(jobView(id, { batch }))]));

describe("the place in a batch", () => {
  it("follows the order in which the jobs were handed in", () => {
    const places = batchPlaces(jobs(["j3", "b"], ["j1", "b"], ["j2", "other"], ["j4", "other"]));
    expect([...places].sort()).toEqual([
      ["j1", "1 of 2"],
      ["j2", "1 of 2"],
      ["j3", "2 of 2"],
      ["j4", "2 of 2"],
    ]);
  });

  it("is not told of a job that is alone", () => {
    expect(batchPlaces(jobs(["j1", ""], ["j2", ""], ["j3", "b"])).size).toBe(0);
  });
});
