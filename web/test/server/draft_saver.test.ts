import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { EMPTY_WORKFLOW, type Workflow } from "../../src/doc/types";
import { type DraftTab, draftSaver } from "../../src/server/draft_saver";
import type { Drafts } from "../../src/server/drafts";
import { FakePage } from "./fakes";

const named = (name: string): Workflow => ({ ...EMPTY_WORKFLOW, name });

function started() {
  const saved = named("cat");
  const tab: DraftTab = {
    id: "t1",
    path: "cat",
    etag: "1",
    history: { now: saved },
    saved,
    scope: [],
  };
  const tabs = createStore<{ tabs: readonly DraftTab[] }>(() => ({ tabs: [tab] }));
  const kept = new Map<string, string>();
  const drafts = {
    put: vi.fn(async (id: string, draft: { name: string }) => {
      kept.set(id, draft.name);
      return true;
    }),
    putNow: vi.fn((id: string, draft: { name: string }) => void kept.set(id, draft.name)),
    remove: vi.fn(async (id: string) => void kept.delete(id)),
  };
  const page = new FakePage();
  const saver = draftSaver(tabs, drafts as unknown as Drafts, 500, page);
  const change = (part: Partial<DraftTab>) => {
    const now = tabs.getState().tabs;
    tabs.setState({ tabs: now.map((one) => ({ ...one, ...part })) });
  };
  const edit = (name: string) => change({ history: { now: named(name) } });
  return { tabs, kept, drafts, page, saver, change, edit, saved };
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the draft saver", () => {
  it("keeps what is edited, soon after the last edit of a burst", async () => {
    const { edit, kept, drafts } = started();
    edit("a");
    await pass(300);
    edit("b");
    await pass(490);
    expect(drafts.put).not.toHaveBeenCalled();
    await pass(20);
    expect(kept.get("t1")).toBe("b");
    expect(drafts.put).toHaveBeenCalledTimes(1);
  });

  it("never leaves more than a second of edits at risk", async () => {
    const { edit, kept } = started();
    for (let at = 0; at < 50; at += 1) {
      edit(`${at}`);
      await pass(100);
      if (at >= 10) expect(Number(kept.get("t1"))).toBeGreaterThanOrEqual(at - 10);
    }
  });

  it("keeps all at once when the page may end", () => {
    const { edit, kept, page, drafts } = started();
    edit("a");
    page.leave();
    page.leave();
    expect(kept.get("t1")).toBe("a");
    expect(drafts.putNow).toHaveBeenCalledTimes(1);
  });

  it("keeps nothing of what nobody edited, or only looked at", async () => {
    const { change, drafts, page } = started();
    change({ scope: ["group"] });
    page.leave();
    await pass(2000);
    expect(drafts.put).not.toHaveBeenCalled();
    expect(drafts.putNow).not.toHaveBeenCalled();
  });

  it("removes the draft when its work is saved, undone, or closed", async () => {
    const { edit, change, kept, tabs, saved } = started();
    edit("a");
    await pass(600);
    change({ saved: tabs.getState().tabs[0]?.history.now ?? null });
    await pass(0);
    expect(kept.size).toBe(0);
    change({ saved });
    edit("b");
    await pass(600);
    expect(kept.get("t1")).toBe("b");
    change({ history: { now: saved } });
    await pass(0);
    expect(kept.size).toBe(0);
    edit("c");
    await pass(600);
    tabs.setState({ tabs: [] });
    await pass(0);
    expect(kept.size).toBe(0);
  });

  it("removes what was saved while its draft was written", async () => {
    const { edit, change, kept, drafts, tabs } = started();
    drafts.put.mockImplementationOnce(async (id, draft) => {
      change({ saved: tabs.getState().tabs[0]?.history.now ?? null });
      kept.set(id, draft.name);
      return true;
    });
    edit("a");
    await pass(600);
    expect(kept.size).toBe(0);
  });

  it("goes on trying if the browser takes none", async () => {
    const { edit, kept, drafts } = started();
    drafts.put.mockResolvedValueOnce(false);
    edit("a");
    await pass(600);
    expect(kept.size).toBe(0);
    await pass(5000);
    expect(kept.get("t1")).toBe("a");
  });

  it("keeps what is waiting when it is told to", async () => {
    const { edit, kept, saver } = started();
    edit("a");
    await saver.flush();
    expect(kept.get("t1")).toBe("a");
    edit("b");
    saver.close();
    await pass(5000);
    expect(kept.get("t1")).toBe("a");
  });
});
