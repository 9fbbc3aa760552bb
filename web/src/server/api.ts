/**
 * The server's API, typed. Every address is relative to the page, so that it works behind a proxy
 * that serves nodeflow below a path of its own.
 */

import type { JsonObject } from "../doc/types";
import type {
  ExtensionList,
  ExtensionView,
  Freed,
  Gallery,
  Health,
  Log,
  Models,
  SettingsSaved,
  SystemView,
  Uploads,
} from "../gen/api";
import type { Nodes } from "../gen/nodes";
import { type JobsApi, jobsApi } from "./api_jobs";
import { type WorkflowsApi, workflowsApi } from "./api_workflows";
import { type Calling, type Fetch, type Http, makeHttp, pathOf, quoted } from "./http";

export type { JobStatus, JobsWanted, Submit } from "./api_jobs";
export type { WorkflowRead } from "./api_workflows";
export type { Problem } from "./errors";
export { ApiError, isAborted, Offline, sentenceOf } from "./errors";
export type { Calling } from "./http";
export { newKey } from "./keys";

/** How a picture is wanted: its longer side in pixels, in which format, to be saved. */
export interface Form {
  readonly thumb?: number;
  readonly format?: "png" | "webp" | "jpeg";
  readonly download?: boolean;
}

export interface NodesRead {
  readonly nodes: Nodes;
  readonly etag: string | null;
}

/** Settings as they are kept; an empty object at first. */
export interface SettingsRead {
  readonly settings: JsonObject;
  readonly etag: string;
}

interface FilesApi {
  /** Null if nothing changed since the answer that had this tag. */
  nodes(etag?: string | null, calling?: Calling): Promise<NodesRead | null>;
  models(kind?: string, calling?: Calling): Promise<Models>;
  /** Pictures that jobs made, the newest first. */
  results(before?: number | null, limit?: number, calling?: Calling): Promise<Gallery>;
  deleteResult(digest: string): Promise<void>;
  resultUrl(digest: string, form?: Form): string;
  /** Address of a small look at the picture that a node made, by the key that its events tell. */
  valueUrl(key: string, thumb: number): string;
  /** Pictures for nodes to load; of several either all are taken or none. */
  upload(files: Blob | readonly Blob[], calling?: Calling): Promise<Uploads>;
  /** Address of a file that nodes load; `thumb` is the longer side of a smaller picture. */
  inputUrl(name: string, thumb?: number): string;
}

interface SystemApi {
  settings(calling?: Calling): Promise<SettingsRead>;
  /** Gives the new tag. Settings of another tag are an `ApiError` 412. */
  saveSettings(settings: JsonObject, etag: string): Promise<string>;
  /** What packs bring to the editor, with whole addresses of their modules. */
  extensions(calling?: Calling): Promise<readonly ExtensionView[]>;
  system(calling?: Calling): Promise<SystemView>;
  /** Unload models; bytes that each worker holds then, null for one that does it later. */
  free(): Promise<Freed["workers"]>;
  log(lines?: number, calling?: Calling): Promise<readonly string[]>;
  health(calling?: Calling): Promise<Health>;
}

export interface Api extends JobsApi, WorkflowsApi, FilesApi, SystemApi {
  readonly base: URL;
}

const UPLOAD_PATIENCE = 600_000;
/** A server that has just begun reads its packs first. */
const NODES_PATIENCE = 120_000;

export function makeApi(
  base: URL = new URL(".", document.baseURI),
  fetch: Fetch = (input, init) => globalThis.fetch(input, init),
): Api {
  const http = makeHttp(base, fetch);
  return { base, ...jobsApi(http), ...workflowsApi(http), ...filesApi(http), ...systemApi(http) };
}

function filesApi(http: Http): FilesApi {
  return {
    async nodes(etag, calling) {
      const headers: Record<string, string> = etag ? { "If-None-Match": quoted(etag) } : {};
      const sending = { timeout: NODES_PATIENCE, ...calling, headers };
      const answer = await http.send("GET", "api/nodes", sending);
      if (answer.status === 304) return null;
      return { nodes: JSON.parse(answer.text) as Nodes, etag: answer.etag };
    },
    models: (kind, calling) =>
      http.json("GET", "api/models", { ...calling, query: { kind: kind ?? null } }),
    results: (before, limit, calling) =>
      http.json("GET", "api/results", {
        ...calling,
        query: { before: before ?? null, limit: limit ?? null },
      }),
    async deleteResult(digest) {
      await http.send("DELETE", `api/results/${pathOf(digest)}`);
    },
    resultUrl: (digest, form) => http.url(`api/results/${pathOf(digest)}`, { ...form }),
    valueUrl: (key, thumb) => http.url(`api/values/${pathOf(key)}`, { thumb }),
    upload(files, calling) {
      const body = new FormData();
      for (const file of [files].flat()) {
        body.append(
          "file",
          file instanceof File ? file : new File([file], "picture", { type: file.type }),
        );
      }
      return http.json("POST", "api/uploads", { timeout: UPLOAD_PATIENCE, ...calling, body });
    },
    inputUrl: (name, thumb) => http.url(`api/inputs/${pathOf(name)}`, { thumb: thumb ?? null }),
  };
}

function systemApi(http: Http): SystemApi {
  return {
    async settings(calling) {
      const answer = await http.send("GET", "api/settings", calling);
      return { settings: JSON.parse(answer.text) as JsonObject, etag: answer.etag ?? "" };
    },
    async saveSettings(settings, etag) {
      const headers = { "If-Match": quoted(etag) };
      const sending = { body: settings, headers };
      return (await http.json<SettingsSaved>("PUT", "api/settings", sending)).etag;
    },
    async extensions(calling) {
      const found = await http.json<ExtensionList>("GET", "api/extensions", calling);
      // The server does not know of a path that a proxy has put before its own.
      return found.extensions.map((one) => ({ ...one, url: http.url(one.url) }));
    },
    system: (calling) => http.json("GET", "api/system", calling),
    async free() {
      return (await http.json<Freed>("POST", "api/system/free")).workers;
    },
    async log(lines, calling) {
      const query = { lines: lines ?? null };
      return (await http.json<Log>("GET", "api/system/log", { ...calling, query })).lines;
    },
    health: (calling) => http.json("GET", "healthz", { timeout: 5000, ...calling }),
  };
}
