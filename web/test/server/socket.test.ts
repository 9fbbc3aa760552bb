import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveEvent } from "../../src/server/messages";
import { watch } from "../../src/server/socket";
import { BASE, FakePage, FakeSocket } from "./fakes";

const event = (seq: number): LiveEvent => ({ seq, time: 0, event: "queue_changed", paused: false });

function started() {
  const page = new FakePage();
  const sockets: FakeSocket[] = [];
  const seqs: number[] = [];
  const states: string[] = [];
  const troubles: string[] = [];
  const onReset = vi.fn();
  const watching = watch({
    base: BASE,
    page,
    onReset,
    onBatch: (events) => {
      for (const one of events) if ("seq" in one) seqs.push(one.seq);
    },
    onState: ({ state }) => void states.push(state),
    onTrouble: (sentence) => void troubles.push(sentence),
    open: (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
  });
  const newest = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  return { page, sockets, newest, seqs, states, troubles, onReset, watching };
}

/** A connection that has come to stand at an event. */
function online(last = 5) {
  const made = started();
  made.newest().says({ events: [], after: last, last });
  return made;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the socket", () => {
  it("begins with what happens now, and has the jobs fetched", () => {
    const { newest, states, onReset } = started();
    expect(newest().url).toBe("ws://host.test/behind/proxy/api/events?previews=1");
    expect(states).toEqual(["connecting"]);
    expect(onReset).not.toHaveBeenCalled();
    newest().says({ events: [], after: 5, last: 5 });
    expect(states).toEqual(["connecting", "online"]);
    expect(onReset).toHaveBeenCalledTimes(1);
  });

  it("is opened at once for somebody who does not want to wait, and tells whether it was", async () => {
    const { newest, sockets, watching } = online();
    newest().ends();
    for (let attempt = 0; attempt < 6; attempt++) {
      vi.advanceTimersByTime(5000);
      newest().ends();
    }
    const before = sockets.length;
    const first = watching.tryNow();
    expect(sockets).toHaveLength(before + 1);
    newest().ends();
    expect(await first).toBe(false);
    vi.advanceTimersByTime(300); // it does not wait long after that
    expect(sockets).toHaveLength(before + 2);
    const second = watching.tryNow(); // an attempt is on its way, and its end is told
    expect(sockets).toHaveLength(before + 2);
    newest().says({ events: [], after: 5, last: 5 });
    expect(await second).toBe(true);
  });

  it("goes on behind the last event when it was cut off", () => {
    const { newest, page, seqs, states, onReset, sockets } = online();
    newest().says({ events: [event(6), event(7)] });
    newest().ends();
    expect(states.at(-1)).toBe("offline");
    vi.advanceTimersByTime(300);
    expect(sockets).toHaveLength(2);
    expect(newest().after).toBe("7");
    newest().says({ events: [], after: 7, last: 8 });
    newest().says({ events: [event(8)] });
    page.draw();
    expect(seqs).toEqual([6, 7, 8]);
    expect(states.at(-1)).toBe("online");
    expect(onReset).toHaveBeenCalledTimes(1);
  });

  it("tries less and less often, but never seldom", () => {
    const { newest, sockets } = online();
    newest().ends();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const [count, since] = [sockets.length, Date.now()];
      while (sockets.length === count) vi.advanceTimersByTime(10);
      pauses.push(Date.now() - since);
      newest().ends();
    }
    expect(pauses[0]).toBeLessThanOrEqual(310);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5010);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(2500);
  });

  it("tries at once when somebody comes back to the page", () => {
    const { newest, sockets, page } = online();
    newest().ends();
    page.wake();
    expect(sockets).toHaveLength(2);
    page.wake();
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ["events are gone", { after: 6, last: 900, gap: true }],
    ["the journal is another", { after: 6, last: 2 }],
  ])("has jobs fetched anew if %s, and leaves out what they have", (_, frame) => {
    const { newest, page, seqs, onReset } = online();
    newest().says({ events: [event(6)] });
    newest().ends();
    page.wake();
    newest().says({ events: [], ...frame });
    expect(onReset).toHaveBeenCalledTimes(2);
    newest().says({ events: [event(frame.last), event(frame.last + 1)] });
    page.draw();
    expect(seqs).toEqual([frame.last + 1]);
  });
});

describe("a socket", () => {
  it("that is silent is replaced, and nothing is told twice or missed", () => {
    const { newest, sockets, page, seqs, states, onReset } = online();
    vi.advanceTimersByTime(15_000);
    const [old] = sockets;
    expect(sockets).toHaveLength(2);
    expect(old?.closed).toBe(false);
    old?.says({ events: [event(6)] });
    newest().says({ events: [], after: 5, last: 5 });
    expect(old?.closed).toBe(true);
    newest().says({ events: [event(6), event(7)] });
    page.draw();
    expect(seqs).toEqual([6, 7]);
    expect(states).toEqual(["connecting", "online"]);
    expect(onReset).toHaveBeenCalledTimes(1);
  });

  it("that is dead without a word is found out", () => {
    const { sockets, states } = online();
    vi.advanceTimersByTime(15_000 + 5000);
    expect(states.at(-1)).toBe("offline");
    expect(sockets.every((socket) => socket.closed)).toBe(true);
    vi.advanceTimersByTime(300);
    expect(sockets).toHaveLength(3);
  });

  it("that still speaks stays, though the server takes no second one", () => {
    const { newest, sockets, states } = online();
    vi.advanceTimersByTime(15_000);
    vi.advanceTimersByTime(100);
    sockets[0]?.says({ events: [event(6)] });
    newest().ends();
    expect(states.at(-1)).toBe("online");
    vi.advanceTimersByTime(15_000);
    expect(sockets).toHaveLength(3);
  });

  it("gives up a handshake that does not end", () => {
    const { sockets, states } = started();
    vi.advanceTimersByTime(5000);
    expect(states).toEqual(["connecting", "offline"]);
    vi.advanceTimersByTime(300);
    expect(sockets).toHaveLength(2);
  });

  it("says so if it cannot read something, and goes on", () => {
    const { newest, page, troubles, seqs } = online();
    newest().onmessage?.({ data: "{" });
    newest().says(new ArrayBuffer(2));
    newest().says({ events: [event(6)] });
    page.draw();
    expect(troubles).toHaveLength(2);
    expect(seqs).toEqual([6]);
  });

  it("is quiet when it was closed", () => {
    const { newest, page, sockets, seqs, watching } = online();
    newest().says({ events: [event(6)] });
    watching.close();
    page.draw();
    page.wake();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(newest().closed).toBe(true);
    expect(seqs).toEqual([]);
  });
});
