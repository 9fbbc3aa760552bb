import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeBatches } from "../../src/server/batches";
import { type LiveEvent, type Preview, readPreview } from "../../src/server/messages";
import { FakePage } from "./fakes";

const paused = (seq: number): LiveEvent => ({ seq, time: 0, event: "queue_changed", paused: true });
const preview = (node: string, text: string): Preview => ({
  job: "j",
  node,
  blob: new Blob([text]),
});

function started() {
  const page = new FakePage();
  const told: { events: readonly LiveEvent[]; previews: readonly Preview[] }[] = [];
  const onBatch = (events: readonly LiveEvent[], previews: readonly Preview[]) =>
    void told.push({ events, previews });
  return { page, told, batches: makeBatches(onBatch, page, () => Date.now()) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("batches", () => {
  it("hand on what comes between two pictures of the screen at once", () => {
    const { page, told, batches } = started();
    batches.add([paused(1)]);
    batches.add([paused(2), paused(3)]);
    expect(told).toEqual([]);
    page.draw();
    expect(told.map(({ events }) => events.length)).toEqual([3]);
    page.draw();
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
  });

  it("have only the newest preview of a node", async () => {
    const { page, told, batches } = started();
    for (const [node, text] of [
      ["a", "1"],
      ["b", "2"],
      ["a", "3"],
    ] as const) {
      batches.preview(preview(node, text));
    }
    page.draw();
    const texts = await Promise.all(told[0]?.previews.map((one) => one.blob.text()) ?? []);
    expect(texts).toEqual(["2", "3"]);
  });

  it("come all the same if nothing is drawn", () => {
    const { told, batches } = started();
    batches.add([paused(1)]);
    vi.advanceTimersByTime(250);
    expect(told).toHaveLength(1);
  });

  it("of a hidden page do not wait for timers, which browsers hold up", () => {
    const { page, told, batches } = started();
    page.hidden = true;
    batches.add([paused(1)]);
    expect(told).toHaveLength(1);
    batches.add([paused(2)]);
    expect(told).toHaveLength(1);
    vi.setSystemTime(Date.now() + 300);
    batches.add([paused(3)]);
    expect(told[1]?.events).toHaveLength(2);
  });
});

describe("a preview", () => {
  it("is read from its frame", async () => {
    const head = new TextEncoder().encode('{"job":"j","node":"é","media_type":"image/webp"}');
    const frame = new Uint8Array(4 + head.length + 3);
    new DataView(frame.buffer).setUint32(0, head.length);
    frame.set(head, 4);
    frame.set([7, 8, 9], 4 + head.length);
    const { job, node, blob } = readPreview(frame.buffer);
    expect({ job, node, type: blob.type }).toEqual({ job: "j", node: "é", type: "image/webp" });
    expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([7, 8, 9]);
  });

  it("that is cut off is an error", () => {
    expect(() => readPreview(new ArrayBuffer(3))).toThrow();
    expect(() => readPreview(new Uint8Array([0, 0, 9, 9, 1]).buffer)).toThrow();
  });
});
