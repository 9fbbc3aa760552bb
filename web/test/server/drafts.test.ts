import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY_WORKFLOW } from "../../src/doc/types";
import { type Draft, makeDrafts, type NewDraft } from "../../src/server/drafts";
import { indexedShelf } from "../../src/server/indexed";
import { FakeIndexed } from "./fake_indexed";
import { FakeStorage } from "./fakes";

const draft = (name: string, time = 1): NewDraft => ({
  path: null,
  etag: null,
  name,
  workflow: { ...EMPTY_WORKFLOW, name },
  scope: [],
  time,
});

/** A browser with its windows. */
function browser() {
  const indexed = new FakeIndexed();
  const storage = new FakeStorage();
  const alive = new Set<string>();
  const troubles: string[] = [];
  const open = (window: string) => {
    alive.add(window);
    return makeDrafts({
      window,
      alive: async () => alive,
      onTrouble: (sentence) => void troubles.push(sentence),
      shelf: indexedShelf<Draft>("drafts", indexed.factory()),
      storage,
    });
  };
  return { indexed, storage, alive, troubles, open };
}

const names = (drafts: readonly Draft[]) => drafts.map((one) => one.name);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("drafts", () => {
  it("of a window that is gone are offered to others, those of one that lives are not", async () => {
    const { open, alive } = browser();
    const [one, two] = [open("w1"), open("w2")];
    await one.put("tab-1", draft("cat", 1));
    await one.put("tab-2", draft("dog", 2));
    expect(await two.lost()).toEqual([]);
    alive.delete("w1");
    const lost = await two.lost();
    expect(names(lost)).toEqual(["dog", "cat"]);
    for (const one of lost) await two.discard(one);
    expect(await two.all()).toEqual([]);
  });

  it("of this window before it was loaded again are offered, and not written over", async () => {
    const { open } = browser();
    await open("w1").put("tab-1", draft("cat"));
    const again = open("w1");
    await again.put("tab-1", draft("dog"));
    expect(names(await again.lost())).toEqual(["cat"]);
    await again.remove("tab-1");
    expect(names(await again.all())).toEqual(["cat"]);
  });

  it("are kept at once when the page may be about to end", async () => {
    const { open, indexed, storage, alive } = browser();
    const one = open("w1");
    indexed.hangs = true;
    one.putNow("tab-1", draft("cat"));
    expect(storage.length).toBe(1);
    alive.delete("w1");
    indexed.hangs = false;
    expect(names(await open("w2").lost())).toEqual(["cat"]);
  });

  it("are kept once if all goes well", async () => {
    const { open, storage, indexed } = browser();
    const one = open("w1");
    one.putNow("tab-1", draft("cat"));
    await vi.advanceTimersByTimeAsync(0);
    expect(storage.length).toBe(0);
    expect(indexed.items.size).toBe(1);
  });

  it("are the newest of each tab, wherever that is", async () => {
    const { open, indexed } = browser();
    const one = open("w1");
    await one.put("tab-1", draft("old", 1));
    indexed.full = true;
    expect(await one.put("tab-1", draft("new", 2))).toBe(true);
    indexed.full = false;
    expect(names(await one.all())).toEqual(["new"]);
  });
});

describe("a browser that keeps no drafts", () => {
  it("is told of once, until there is room again", async () => {
    const { open, indexed, storage, troubles } = browser();
    const one = open("w1");
    indexed.full = true;
    storage.room = 10;
    expect(await one.put("tab-1", draft("a"))).toBe(false);
    expect(await one.put("tab-1", draft("b"))).toBe(false);
    expect(troubles).toEqual([
      "The browser has no room for unsaved work; save it, since a crash would lose it.",
    ]);
    indexed.full = false;
    expect(await one.put("tab-1", draft("c"))).toBe(true);
    indexed.full = true;
    await one.put("tab-1", draft("d"));
    expect(troubles).toHaveLength(2);
  });

  it("is done without if its database never answers, or is not there", async () => {
    const { open, indexed, storage } = browser();
    indexed.hangs = true;
    const kept = open("w1").put("tab-1", draft("a"));
    await vi.advanceTimersByTimeAsync(3000);
    expect(await kept).toBe(true);
    expect(storage.length).toBe(1);
    const told = vi.fn();
    const shelf = indexedShelf<Draft>("x", undefined);
    const none = makeDrafts({
      window: "w",
      alive: async () => new Set(),
      onTrouble: told,
      shelf,
      storage: null,
    });
    expect(await none.put("tab-1", draft("a"))).toBe(false);
    expect(told.mock.calls[0]?.[0]).toContain("there is no IndexedDB");
    expect(await none.all()).toEqual([]);
  });

  it("may close the database, and drafts are kept again", async () => {
    const { open, indexed } = browser();
    const one = open("w1");
    await one.put("tab-1", draft("a"));
    indexed.lose();
    await one.put("tab-1", draft("b"));
    expect(indexed.opened).toBe(2);
    expect(names(await one.all())).toEqual(["b"]);
  });
});
