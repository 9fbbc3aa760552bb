import { describe, expect, it, vi } from "vitest";
import { makeQueueActions } from "../../src/actions/queue";
import type { Editor } from "../../src/editor";
import { ApiError } from "../../src/server/api";
import type { RunsStore } from "../../src/store/runs";

/** Queue actions of an editor whose server does, or refuses, all that it is asked. */
function started(refuses = false) {
  const answer = async (value: unknown = undefined) => {
    if (refuses) throw new ApiError(409, "It is over already.");
    return value;
  };
  const api = {
    cancel: vi.fn(() => answer()),
    cancelAll: vi.fn(() => answer(1)),
    move: vi.fn(() => answer()),
    pause: vi.fn(() => answer()),
    resume: vi.fn(() => answer()),
    remove: vi.fn(() => answer()),
    retry: vi.fn(() => answer({ id: "j2", jobs: [] })),
    free: vi.fn(() => answer()),
  };
  const ui = { say: vi.fn(), toast: vi.fn() };
  const handIn: RunsStore["handIn"] = async (ask, show) => show(await ask());
  const runs = { handIn, olderJobs: vi.fn(() => answer()) };
  const open = [
    { id: "t1", job: "other", jobs: ["j1"] },
    { id: "t2", job: null, jobs: [] },
  ];
  const tabs = { getState: () => ({ tabs: open, active: "t2" }), patch: vi.fn() };
  const editor = { api, ui, runs, tabs } as unknown as Editor;
  return { queue: makeQueueActions(() => editor), api, ui, runs, tabs };
}

describe("what is done with jobs", () => {
  it("is said", async () => {
    const { queue, api, ui } = started();
    await queue.cancelAll();
    expect(ui.say).toHaveBeenLastCalledWith("One job is cancelled.");
    await queue.setPaused(true);
    expect(api.pause).toHaveBeenCalledOnce();
    expect(ui.say).toHaveBeenLastCalledWith("The queue is paused.");
    await queue.setPaused(false);
    expect(api.resume).toHaveBeenCalledOnce();
    expect(ui.say).toHaveBeenLastCalledWith("The queue goes on.");
    expect(ui.toast).not.toHaveBeenCalled();
  });

  it("is said if the server refuses it, of every one, and nothing is thrown", async () => {
    const { queue, ui } = started(true);
    const all = [
      () => queue.cancel("j1"),
      () => queue.cancelAll(),
      () => queue.move("j1", { before: "j2" }),
      () => queue.setPaused(true),
      () => queue.setPaused(false),
      () => queue.retry("j1"),
      () => queue.remove("j1"),
      () => queue.free(),
      () => queue.older(),
    ];
    for (const attempt of all) await attempt();
    const said = ui.toast.mock.calls.map(([kind, sentence]) => `${kind} ${sentence}`);
    expect(said).toHaveLength(all.length);
    for (const one of said) expect(one).toMatch(/^error .+ cannot .+: It is over already\.$/);
    expect(new Set(said).size).toBe(all.length);
  });

  it("shows a job that runs again on the tab that it came from", async () => {
    const { queue, tabs, ui } = started();
    await queue.retry("j1");
    expect(ui.say).toHaveBeenLastCalledWith("The job is queued again.");
    expect(tabs.patch).toHaveBeenCalledExactlyOnceWith("t1", { job: "j2", jobs: ["j1", "j2"] });
  });
});
