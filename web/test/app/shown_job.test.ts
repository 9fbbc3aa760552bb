import { expect, it } from "vitest";
import { keepTogether } from "../../src/app/shown_job";
import { makeTabs } from "../../src/store/tabs";
import { flow } from "../doc/toys";
import { started } from "../store/runs_kit";
import { begun, nodeBegun, nodeOver, over, queued } from "../store/runs_samples";

/** A tab that has handed in some jobs and shows the first, and another one with a job of its own. */
function shown(...jobs: string[]) {
  const { runs } = started();
  const tabs = makeTabs(() => {});
  keepTogether(tabs, runs);
  const other = tabs.open({ workflow: flow({}) });
  const tab = tabs.open({ workflow: flow({}) });
  runs.apply(["j9", ...jobs].map((id) => queued(id)));
  tabs.patch(other, { job: "j9", jobs: ["j9"] });
  tabs.patch(tab, { job: jobs[0] ?? null, jobs });
  const show = (id: string) => tabs.patch(tab, { job: id });
  return { runs, show, job: () => tabs.find(tab)?.job, others: () => tabs.find(other)?.job };
}

const ran = (id: string, time: number) => [
  begun(id),
  nodeBegun(id, "a"),
  nodeOver(id, "a"),
  { ...over(id), time },
];

it("of several jobs of a tab the one that runs is shown", () => {
  const { runs, job, others } = shown("j1", "j2");
  runs.apply([...ran("j1", 1001), begun("j2")]);
  expect(job()).toBe("j2");
  expect(others()).toBe("j9");
});

it("a job that begins and ends between two looks is shown, with its nodes", () => {
  const { runs, job, others } = shown("j1", "j2");
  runs.apply([begun("j1")]);
  runs.apply([over("j1"), ...ran("j2", 1002)]);
  expect(job()).toBe("j2");
  expect(runs.getState().jobs.j2?.nodes.a?.status).toBe("ran");
  expect(others()).toBe("j9");
});

it("of those that are over the last to end is shown, whatever their order was", () => {
  const { runs, job } = shown("j1", "j2", "j3");
  runs.apply([...ran("j3", 1001), ...ran("j1", 1002), ...ran("j2", 1003)]);
  expect(job()).toBe("j2");
});

it("a job that was cancelled while it waited takes the place of none", () => {
  const { runs, job } = shown("j1", "j2");
  runs.apply(ran("j1", 1001));
  runs.apply([over("j2", { status: "cancelled" })]);
  expect(job()).toBe("j1");
});

it("an older job that is looked at stays while another tab's job moves on", () => {
  const { runs, show, job } = shown("j1", "j2");
  runs.apply(ran("j1", 1001));
  runs.apply(ran("j2", 1002));
  show("j1");
  runs.apply([begun("j9")]);
  expect(job()).toBe("j1");
});
