import { describe, expect, it } from "vitest";
import { batchPlaces, endOf, picturesOf } from "../../src/panels/job_words";
import { jobOf } from "../../src/store/runs_state";
import { jobView, picture } from "../store/runs_samples";

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

describe("the pictures of a job", () => {
  it("are there once, those of its outputs first, and other files are not", () => {
    const text = { ...picture("t"), media_type: "text/plain" };
    const job = jobOf(
      jobView("j1", {
        outputs: { image: { files: [picture("b")] }, sum: { value: 3 } },
        files: { save: [picture("a"), picture("b"), text] },
      }),
    );
    expect(picturesOf(job).map((file) => file.digest)).toEqual(["b", "a"]);
  });
});

describe("the end of a job", () => {
  it("says how long it took and where values came from", () => {
    const counts = { ran: 2, memory: 1, skipped: 4 };
    const done = jobOf(jobView("j1", { status: "done", seconds: 1.24, counts }));
    expect(endOf(done)).toBe("1.2 s · 2 ran, 1 from memory");
    expect(endOf(jobOf(jobView("j1", { status: "done", seconds: 0 })))).toBe("1 ms");
    expect(endOf(jobOf(jobView("j1", { status: "cancelled", seconds: 3 })))).toBe("cancelled");
  });
});
