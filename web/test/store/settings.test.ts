import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JsonObject } from "../../src/doc/types";
import { type Api, ApiError, Offline } from "../../src/server/api";
import { DEFAULTS, makeSettings, type SettingsStore } from "../../src/store/settings";
import { BASE, FakeStorage } from "../server/fakes";

/** Settings as a server keeps them, for several windows. */
class Server {
  settings: JsonObject = {};
  version = 1;
  away = false;
  writes = 0;

  api(): Api {
    const api = {
      base: BASE,
      settings: async () => {
        this.#answer();
        return { settings: this.settings, etag: `s${this.version}` };
      },
      saveSettings: async (settings: JsonObject, etag: string) => {
        this.#answer();
        if (etag !== `s${this.version}`) throw new ApiError(412, "Changed.", { etag: "x" });
        this.writes += 1;
        this.version += 1;
        this.settings = settings;
        return `s${this.version}`;
      },
    };
    return api as unknown as Api;
  }
  #answer() {
    if (this.away) throw new Offline("The server does not answer.");
  }
}

const open = (server: Server, storage: Storage | null = null): SettingsStore =>
  makeSettings(server.api(), { storage });
const values = (store: SettingsStore) => store.getState().values;
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("settings", () => {
  it("are what they are at first, and then what the server has", async () => {
    const server = new Server();
    server.settings = { theme: "light", mine: 5 };
    const store = open(server);
    expect(values(store)).toEqual(DEFAULTS);
    await store.load();
    expect(values(store)).toEqual({ ...DEFAULTS, theme: "light" });
    expect(store.getState()).toMatchObject({ ready: true, saved: true, trouble: "" });
  });

  it("are here at once and on the server soon; what it has besides stays", async () => {
    const server = new Server();
    server.settings = { mine: 5 };
    const store = open(server);
    await store.load();
    store.set({ snap: false });
    store.set({ batch: 4 });
    expect(values(store)).toMatchObject({ snap: false, batch: 4 });
    expect(store.getState().saved).toBe(false);
    await pass(500);
    expect(server.settings).toEqual({ mine: 5, snap: false, batch: 4 });
    expect(server.writes).toBe(1);
    expect(store.getState().saved).toBe(true);
  });

  it("of two windows come together", async () => {
    const server = new Server();
    const [one, two] = [open(server), open(server)];
    await Promise.all([one.load(), two.load()]);
    one.set({ keys: { run: "F5" }, favourites: ["a"] });
    two.set({ keys: { find: "F3" }, favourites: ["b"] });
    await pass(500);
    await one.load();
    expect(values(one)).toEqual(values(two));
    expect(values(one).keys).toEqual({ run: "F5", find: "F3" });
    expect([...values(one).favourites].sort()).toEqual(["a", "b"]);
  });

  it("keep what is set while they are sent", async () => {
    const server = new Server();
    const store = open(server);
    await store.load();
    store.set({ snap: false });
    const sent = store.flush();
    store.set({ grid: false });
    await sent;
    await pass(600);
    expect(server.settings).toEqual({ snap: false, grid: false });
  });
});

describe("settings of a server that is away, or has wrong ones", () => {
  it("stay in the browser, over a reload too", async () => {
    const server = new Server();
    const storage = new FakeStorage();
    server.away = true;
    const store = open(server, storage);
    await store.load();
    expect(store.getState()).toMatchObject({ ready: true, trouble: "The server does not answer." });
    store.set({ theme: "light" });
    store.close();
    server.settings = { grid: false };
    const again = open(server, storage);
    expect(values(again).theme).toBe("light");
    server.away = false;
    await again.load();
    await pass(500);
    expect(server.settings).toEqual({ grid: false, theme: "light" });
    expect(again.getState()).toMatchObject({ saved: true, trouble: "" });
  });

  it("are sent when it is back", async () => {
    const server = new Server();
    const store = open(server);
    await store.load();
    server.away = true;
    store.set({ snap: false });
    await pass(600);
    expect(store.getState().trouble).toBe("The server does not answer.");
    server.away = false;
    await pass(6000);
    expect(server.settings).toEqual({ snap: false });
    expect(store.getState().trouble).toBe("");
  });

  it("are said to be wrong, and are what they are at first", async () => {
    const server = new Server();
    server.settings = { batch: "many", theme: "light" };
    const store = open(server);
    await store.load();
    expect(values(store)).toMatchObject({ batch: 1, theme: "light" });
    expect(store.getState().trouble).toContain("'batch' is \"many\", but must be a whole number");
  });
});

describe("settings that are as they were", () => {
  it("can be what they were at first again, some or all", async () => {
    const server = new Server();
    server.settings = { snap: false, batch: 7, mine: 5 };
    const store = open(server);
    await store.load();
    store.reset(["snap"]);
    expect(values(store)).toMatchObject({ snap: true, batch: 7 });
    store.reset();
    await pass(500);
    expect(server.settings).toEqual({ mine: 5 });
  });

  it("do not change what is the same", async () => {
    const server = new Server();
    server.settings = { keys: { run: "F5" } };
    const store = open(server);
    await store.load();
    const before = values(store);
    await store.load();
    expect(values(store)).toBe(before);
  });
});

describe("settings as text", () => {
  it("can be taken to another server", async () => {
    const [one, two] = [open(new Server()), open(new Server())];
    one.set({ theme: "dark", keys: { run: "F5" } });
    expect(two.importText(one.exportText())).toEqual([]);
    expect(values(two)).toEqual(values(one));
  });

  it.each([
    ["{", "This is no JSON"],
    ["[]", "Settings are one JSON object"],
    ['{"themes": "dark"}', "There is no setting 'themes'."],
    ['{"theme": "pink"}', '\'theme\' is "pink", but must be one of "system", "dark", "light".'],
    ['{"batch": 0.5}', "'batch' is 0.5, but must be a whole number from 1 to 1000."],
    ['{"keys": {"run": 5}}', "'keys' is"],
    ['{"favourites": [1]}', "'favourites' is [1], but must be a list of texts."],
  ])("that are wrong change nothing: %s", (text, sentence) => {
    const store = open(new Server());
    expect(store.importText(text).join(" ")).toContain(sentence);
    expect(values(store)).toEqual(DEFAULTS);
  });
});
