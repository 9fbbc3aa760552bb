import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Channel, presence } from "../../src/server/windows";
import { FakeStorage } from "./fakes";

/** A browser: what one window says all others hear; locks end with their window. */
class Browser {
  readonly #channels = new Set<Channel>();
  readonly #held = new Map<string, () => void>();
  readonly #waiting: { name: string; take: () => void }[] = [];

  channel(): Channel {
    const channel: Channel = {
      onmessage: null,
      postMessage: (data) => {
        for (const other of this.#channels) {
          if (other !== channel) other.onmessage?.({ data: structuredClone(data) } as MessageEvent);
        }
      },
      close: () => this.#channels.delete(channel),
    };
    this.#channels.add(channel);
    return channel;
  }

  locks(): LockManager {
    const request = (name: string, { signal }: LockOptions, work: () => Promise<unknown>) =>
      new Promise((done, failed) => {
        const take = () => {
          this.#held.set(name, () => this.#release(name));
          void work().then((value) => {
            this.#release(name);
            done(value);
          });
        };
        if (!this.#held.has(name)) return take();
        this.#waiting.push({ name, take });
        signal?.addEventListener("abort", () => {
          this.#waiting.splice(0);
          failed(signal.reason);
        });
      });
    const query = async () => ({ held: [...this.#held.keys()].map((name) => ({ name })) });
    return { request, query } as unknown as LockManager;
  }

  /** A window is killed: it says nothing, and its lock is free. */
  kill(id: string) {
    for (const [name, release] of this.#held) if (name.endsWith(id)) release();
  }

  #release(name: string) {
    this.#held.delete(name);
    const at = this.#waiting.findIndex((one) => one.name === name);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.take();
  }
}

const open = (browser: Browser, session = new FakeStorage(), locks = true) =>
  presence({
    name: "nodeflow /",
    session,
    locks: locks ? browser.locks() : null,
    channel: browser.channel(),
  });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("windows", () => {
  it("know which workflows the others have open", async () => {
    const browser = new Browser();
    const one = await open(browser);
    one.opened("cat");
    const two = await open(browser);
    const told: boolean[] = [];
    two.opened("cat");
    const stop = two.onElsewhere("cat", (elsewhere) => void told.push(elsewhere));
    expect(told).toEqual([true]);
    one.closed("cat");
    one.opened("dog");
    expect(told).toEqual([true, false]);
    one.opened("cat");
    one.opened("cat");
    one.closed("cat");
    expect(told).toEqual([true, false, true]);
    one.close();
    expect(told).toEqual([true, false, true, false]);
    stop();
  });

  it("find out that another was killed", async () => {
    const browser = new Browser();
    const [one, two] = [await open(browser), await open(browser)];
    one.opened("cat");
    const told = vi.fn();
    two.onElsewhere("cat", told);
    expect(await two.alive()).toEqual(new Set([one.id, two.id]));
    browser.kill(one.id);
    expect(await two.alive()).toEqual(new Set([two.id]));
    window.dispatchEvent(new Event("focus"));
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toHaveBeenLastCalledWith(false);
  });

  it("keep their id when they are loaded again, even if the page before is slow to go", async () => {
    const browser = new Browser();
    const session = new FakeStorage();
    const before = await open(browser, session);
    const loading = open(browser, session);
    await vi.advanceTimersByTimeAsync(100);
    before.close();
    expect((await loading).id).toBe(before.id);
  });

  it("that were duplicated have ids of their own", async () => {
    const browser = new Browser();
    const session = new FakeStorage();
    const one = await open(browser, session);
    const opening = open(browser, session);
    await vi.advanceTimersByTimeAsync(500);
    const two = await opening;
    expect(two.id).not.toBe(one.id);
    expect(session.getItem("nodeflow /")).toBe(two.id);
    expect(await two.alive()).toEqual(new Set([one.id, two.id]));
  });

  it("call the roll where there are no locks", async () => {
    const browser = new Browser();
    const [one, two] = [
      await open(browser, new FakeStorage(), false),
      await open(browser, new FakeStorage(), false),
    ];
    const alive = two.alive();
    await vi.advanceTimersByTimeAsync(200);
    expect(await alive).toEqual(new Set([one.id, two.id]));
  });
});
