import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY_WORKFLOW } from "../../src/doc/types";
import { ApiError, makeApi, Offline, sentenceOf } from "../../src/server/api";
import { type Answering, BASE, fakeServer, json, nobody, problem } from "./fakes";

const served = (...answers: Answering[]) => {
  const { fetch, asked } = fakeServer(...answers);
  return { api: makeApi(BASE, fetch), asked };
};
const failing = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable("it did not fail"),
    (error: unknown) => error,
  );

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("addresses", () => {
  it("stay below the path of a proxy", async () => {
    const { api, asked } = served(json({ jobs: [], counts: {}, paused: false }));
    await api.jobs({ status: ["queued", "running"], limit: 5 });
    expect(asked[0]?.path).toBe("api/jobs?status=queued&status=running&limit=5");
    expect(api.resultUrl("ab12", { thumb: 256, download: false })).toBe(
      `${BASE.href}api/results/ab12?thumb=256`,
    );
    expect(api.inputUrl("uploads/a b#.png")).toBe(`${BASE.href}api/inputs/uploads/a%20b%23.png`);
  });

  it("of extensions come from the server's root, and are led below the proxy", async () => {
    const url = "plugins/toys/index.js?v=1";
    const { api } = served(
      json({ extensions: [{ pack: "toys", version: "1", url, enabled: true }] }),
    );
    expect((await api.extensions())[0]?.url).toBe(`${BASE.href}plugins/toys/index.js?v=1`);
  });

  it.each(["..", "a/../../jobs", "", "a//b", "./a"])(
    "never lead anywhere else, whatever a workflow is called: %o",
    async (name) => {
      const { api, asked } = served(json({}));
      expect(await failing(api.deleteWorkflow(name, "1"))).toBeInstanceOf(ApiError);
      expect(await failing(api.readWorkflow(name))).toBeInstanceOf(ApiError);
      expect(asked).toEqual([]);
    },
  );
});

describe("errors", () => {
  it("are the server's sentences, with its problems and when to come again", async () => {
    const found = { code: "x", severity: "error", pointer: "", sentence: "No.", way_out: "" };
    const { api } = served(
      json(
        { status: 422, detail: "It has a loop.", problems: [found] },
        {
          status: 422,
          headers: {
            "Content-Type": "application/problem+json; charset=utf-8",
            "Retry-After": "7",
          },
        },
      ),
    );
    const error = await failing(api.check({ path: "a" }));
    expect(error).toMatchObject({ status: 422, sentence: "It has a loop.", problems: [found] });
    expect(error).toMatchObject({ retryAfter: 7 });
    expect(sentenceOf(error)).toBe("It has a loop.");
  });

  it("of a network that is away are told apart from refusals", async () => {
    const { api } = served(nobody, () => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    expect(await failing(api.system())).toBeInstanceOf(Offline);
    expect(await failing(api.system())).toBeInstanceOf(Offline);
  });

  it("say so if something else than a server of nodeflow answers", async () => {
    const { api } = served(() => new Response("<h1>Welcome</h1>"));
    expect(await failing(api.system())).toMatchObject({ name: "ApiError", status: 200 });
  });

  it("of a server that never answers come after a while", async () => {
    const { api } = served(
      ({ signal }) =>
        new Promise((_, failed) => signal?.addEventListener("abort", () => failed(signal.reason))),
    );
    const error = failing(api.health({ timeout: 1000 }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await error).toMatchObject({ name: "Offline", sentence: /too long/ });
  });

  it("of somebody who gave up are those of the browser", async () => {
    const { api } = served(
      ({ signal }) =>
        new Promise((_, failed) => signal?.addEventListener("abort", () => failed(signal.reason))),
    );
    const control = new AbortController();
    const error = failing(api.system({ signal: control.signal }));
    control.abort();
    expect(await error).toMatchObject({ name: "AbortError" });
  });
});

describe("handing in", () => {
  const accepted = { id: "j1", status: "queued", jobs: [], batch: "", warnings: [] };

  it("is repeated under the same key until there is an answer", async () => {
    const { api, asked } = served(nobody, nobody, json(accepted, { status: 202 }));
    const done = api.submit({ workflow: EMPTY_WORKFLOW });
    await vi.advanceTimersByTimeAsync(2000);
    expect((await done).id).toBe("j1");
    const keys = asked.map(({ headers }) => headers["Idempotency-Key"]);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it("has another key each time that somebody does it", async () => {
    const { api, asked } = served(json(accepted));
    await api.submit({ path: "a" });
    await api.submit({ path: "a" });
    expect(asked[0]?.headers["Idempotency-Key"]).not.toBe(asked[1]?.headers["Idempotency-Key"]);
  });

  it("waits as long as a busy server asks for", async () => {
    const { api, asked } = served(problem(429, "Slower.", { "Retry-After": "3" }), json(accepted));
    const done = api.submit({ path: "a" });
    await vi.advanceTimersByTimeAsync(2900);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect((await done).id).toBe("j1");
  });

  it("is not repeated if it is refused, and at last gives up", async () => {
    const refused = served(problem(422, "No."));
    expect(await failing(refused.api.submit({ path: "a" }))).toMatchObject({ status: 422 });
    expect(refused.asked).toHaveLength(1);
    const away = served(nobody);
    const error = failing(away.api.submit({ path: "a" }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await error).toBeInstanceOf(Offline);
    expect(away.asked).toHaveLength(5);
  });

  it("is not repeated for somebody who gave up", async () => {
    const { api, asked } = served(nobody);
    const control = new AbortController();
    const error = failing(api.submit({ path: "a" }, { signal: control.signal }));
    await vi.advanceTimersByTimeAsync(100);
    control.abort();
    expect(await error).toMatchObject({ name: "AbortError" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(1);
  });
});

describe("workflows", () => {
  it("are read in today's format, with the tag of their text", async () => {
    const { api, asked } = served(
      () => new Response('{"nodeflow": 0}', { headers: { ETag: '"t1"' } }),
      json({ workflow: { nodeflow: 1, name: "Cat", mine: 5 } }),
    );
    const { workflow, etag } = await api.readWorkflow("pets/cat");
    expect(etag).toBe("t1");
    expect(workflow).toEqual({ ...EMPTY_WORKFLOW, name: "Cat", mine: 5 });
    expect(asked.map(({ path }) => path)).toEqual([
      "api/workflows/pets/cat",
      "api/read?name=pets%2Fcat",
    ]);
    expect(asked[1]?.body).toBe('{"nodeflow": 0}');
  });

  it("are saved over what was read, or not over anything", async () => {
    const saved = { path: "a", etag: "t2", modified: 1 };
    const { api, asked } = served(json(saved));
    expect(await api.saveWorkflow("a", EMPTY_WORKFLOW, "t1")).toEqual(saved);
    await api.saveWorkflow("a", EMPTY_WORKFLOW, null);
    expect(asked[0]?.headers["If-Match"]).toBe('"t1"');
    expect(asked[1]?.headers["If-None-Match"]).toBe("*");
  });

  it("that somebody else has saved say which tag they have now", async () => {
    const { api } = served(problem(412, "It was changed.", { ETag: '"t9"' }));
    const error = await failing(api.saveWorkflow("a", EMPTY_WORKFLOW, "t1"));
    expect(error).toMatchObject({ status: 412, etag: "t9" });
  });

  it.each([
    [new File(["x"], "cat.png", { type: "image/png" }), "image/png"],
    [new File(["x"], "cat.JPG"), "image/jpeg"],
    [new File(["{}"], "cat.json"), "application/json"],
    [new Blob(["{}"]), "application/json"],
    ["{}", "application/json"],
  ])("in files are sent as what they are", async (source, type) => {
    const { api, asked } = served(json({ workflow: { nodeflow: 1 } }));
    await api.read(source);
    expect(asked[0]?.headers["Content-Type"]).toBe(type);
    expect(asked[0]?.body).toBe(source);
  });
});

describe("the rest", () => {
  it("asks for nodes only if they have changed", async () => {
    const { api, asked } = served(
      () => new Response("{}", { headers: { ETag: 'W/"n1-gzip"' } }),
      () => new Response(null, { status: 304 }),
    );
    expect(await api.nodes()).toEqual({ nodes: {}, etag: "n1-gzip" });
    expect(await api.nodes("n1-gzip")).toBeNull();
    expect(asked[1]?.headers["If-None-Match"]).toBe('"n1-gzip"');
  });

  it("uploads one picture or several as a form", async () => {
    const { api, asked } = served(json({ name: "uploads/a.png", files: [] }, { status: 201 }));
    await api.upload(new File(["x"], "a.png", { type: "image/png" }));
    await api.upload([new File(["x"], "a.png"), new Blob(["y"])]);
    const forms = asked.map(({ body }) => body as FormData);
    const names = forms.map((form) => form.getAll("file").map((file) => (file as File).name));
    expect(names).toEqual([["a.png"], ["a.png", "picture"]]);
    expect(asked[0]?.headers["Content-Type"]).toBeUndefined();
  });

  it("moves, stops and removes jobs", async () => {
    const { api, asked } = served(json({ cancelled: 2, paused: true }));
    await api.move("j1", { before: "j2" });
    await api.cancel("j1");
    await api.remove("j1");
    expect(await api.cancelAll(["queued"])).toBe(2);
    await api.pause();
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "PATCH api/jobs/j1",
      "DELETE api/jobs/j1?only=cancel",
      "DELETE api/jobs/j1?only=remove",
      "DELETE api/jobs?status=queued",
      "PATCH api/queue",
    ]);
    expect(asked[4]?.body).toBe('{"paused":true}');
  });
});
