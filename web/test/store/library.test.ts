import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Models } from "../../src/gen/api";
import type { NodeSpec } from "../../src/gen/nodes";
import { type Api, ApiError, type NodesRead, Offline } from "../../src/server/api";
import { makeLibraryStore } from "../../src/store/library";

const read = (etag: string, ...ids: string[]): NodesRead => ({
  etag,
  nodes: {
    nodes: Object.fromEntries(ids.map((id) => [id, { id, was: [] } as unknown as NodeSpec])),
    sockets: {},
    errors: [{ pack: "broken", sentence: "No.", trace: "" }],
    pending: [],
  },
});
const models = (kind: string, ...names: string[]): Models => ({
  kinds: {
    [kind]: {
      files: names.map((name) => ({
        name,
        size: 1,
        modified: 0,
        family: "",
        title: "",
        precision: "",
        problem: "",
        digest: "",
        same_as: [],
      })),
      put: `/models/${kind}`,
    },
  },
});

function started() {
  const nodes = vi.fn<(etag?: string | null) => Promise<NodesRead | null>>();
  const files = vi.fn(async (kind: string) => models(kind, "a.safetensors"));
  const told = vi.fn();
  const store = makeLibraryStore({ nodes, models: files } as unknown as Api, told);
  const names = () => Object.keys(store.getState().library.nodes);
  return { nodes, files, told, store, names };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the library", () => {
  it("is read once the server is there", async () => {
    const { nodes, store, names } = started();
    nodes.mockRejectedValueOnce(new Offline("away")).mockResolvedValueOnce(read("n1", "toys.add"));
    const done = store.load();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.getState()).toMatchObject({ ready: false, trouble: "away" });
    await vi.advanceTimersByTimeAsync(600);
    await done;
    expect(names()).toEqual(["toys.add"]);
    expect(store.getState()).toMatchObject({ ready: true, trouble: "" });
    expect(store.getState().faults[0]?.pack).toBe("broken");
  });

  it("stays the same object if nothing has changed", async () => {
    const { nodes, store } = started();
    nodes.mockResolvedValueOnce(read("n1", "toys.add")).mockResolvedValueOnce(null);
    await store.load();
    const { library } = store.getState();
    await store.reload();
    expect(nodes).toHaveBeenLastCalledWith("n1");
    expect(store.getState().library).toBe(library);
  });

  it("is that of the newest answer, in whatever order they come", async () => {
    const { nodes, store, names } = started();
    let late: (answer: NodesRead) => void = () => {};
    nodes.mockReturnValueOnce(
      new Promise((done) => {
        late = done;
      }),
    );
    nodes.mockResolvedValueOnce(read("n2", "toys.new"));
    const first = store.load();
    await store.load();
    late(read("n1", "toys.old"));
    await first;
    expect(names()).toEqual(["toys.new"]);
  });

  it("reads again the kinds of files that are known, when packs have changed", async () => {
    const { nodes, files, store } = started();
    nodes.mockResolvedValue(null);
    await store.loadFiles("loras");
    files.mockResolvedValueOnce(models("loras", "b.safetensors"));
    await store.reload();
    expect(store.getState().files.loras?.map((file) => file.name)).toEqual(["b.safetensors"]);
    expect(store.getState().folders.loras).toBe("/models/loras");
  });

  it("tells why files cannot be listed, and keeps those that it has", async () => {
    const { files, store, told } = started();
    await store.loadFiles("loras");
    files.mockRejectedValueOnce(new ApiError(404, "There is no such kind."));
    await store.loadFiles("loras");
    expect(told).toHaveBeenCalledWith(
      "The files of 'loras' cannot be listed: There is no such kind.",
    );
    expect(store.getState().files.loras).toHaveLength(1);
  });
});
