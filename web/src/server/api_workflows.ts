/** Calls about workflows: those that are saved, those in files, those that jobs ran. */

import { EMPTY_WORKFLOW, type Workflow } from "../doc/types";
import type {
  Opened,
  WorkflowInfo,
  WorkflowList,
  WorkflowSaved,
  WorkflowVersion,
  WorkflowVersions,
} from "../gen/api";
import type { Calling, Http, Sending } from "./http";
import { pathOf, quoted } from "./http";

/** A workflow in today's format, with the tag of the text that it was read from. */
export interface WorkflowRead {
  readonly workflow: Workflow;
  readonly etag: string;
}

export interface WorkflowsApi {
  workflows(calling?: Calling): Promise<readonly WorkflowInfo[]>;
  readWorkflow(path: string, calling?: Calling): Promise<WorkflowRead>;
  /**
   * Save over the text that has this tag; null saves only if there is none of this name.
   *
   * Somebody else's text is never written over: that is an `ApiError` 412 with the present tag.
   */
  saveWorkflow(path: string, workflow: Workflow, etag: string | null): Promise<WorkflowSaved>;
  deleteWorkflow(path: string, etag: string): Promise<void>;
  /** Newest first. */
  versions(path: string, calling?: Calling): Promise<readonly WorkflowVersion[]>;
  readVersion(path: string, number: number, calling?: Calling): Promise<WorkflowRead>;
  /** What a job ran, with all inputs in it. */
  jobWorkflow(id: string, calling?: Calling): Promise<Workflow>;
  /** The workflow that a text, a JSON file or a picture holds. */
  read(source: Blob | string, calling?: Calling & { readonly name?: string }): Promise<Workflow>;
  /** Address of a picture of what a workflow makes, so many pixels on its longer side. */
  thumbnailUrl(path: string, thumb?: number): string;
}

const JSON_TYPE = "application/json";

export function workflowsApi(http: Http): WorkflowsApi {
  const at = (path: string) => `api/workflows/${pathOf(path)}`;

  const read: WorkflowsApi["read"] = async (source, calling = {}) => {
    const name = calling.name ?? (source instanceof File ? source.name : "");
    const answer = await http.json<Opened>("POST", "api/read", {
      ...calling,
      body: source,
      headers: { "Content-Type": typeOf(source, name) },
      query: { name: name || null },
    });
    // The format has more keys than the editor knows, and all of them are to stay.
    return { ...EMPTY_WORKFLOW, ...(answer.workflow as Partial<Workflow>) };
  };

  /** A text as it was saved, which may be of an older format. */
  const readText = async (path: string, name: string, sending: Sending): Promise<WorkflowRead> => {
    const answer = await http.send("GET", path, sending);
    const workflow = await read(answer.text, { signal: sending.signal, name });
    return { workflow, etag: answer.etag ?? "" };
  };

  return {
    async workflows(calling) {
      return (await http.json<WorkflowList>("GET", "api/workflows", calling)).workflows;
    },
    readWorkflow: async (path, calling = {}) => readText(at(path), path, calling),
    saveWorkflow: async (path, workflow, etag) =>
      http.json<WorkflowSaved>("PUT", at(path), {
        // Written for people too, who read the file and its changes.
        body: `${JSON.stringify(workflow, null, 2)}\n`,
        headers: {
          "Content-Type": JSON_TYPE,
          ...(etag === null ? { "If-None-Match": "*" } : { "If-Match": quoted(etag) }),
        },
      }),
    async deleteWorkflow(path, etag) {
      await http.send("DELETE", at(path), { headers: { "If-Match": quoted(etag) } });
    },
    async versions(path, calling) {
      const found = await http.json<WorkflowVersions>("GET", `${at(path)}/versions`, calling);
      return found.versions;
    },
    readVersion: async (path, version, calling = {}) =>
      readText(at(path), path, { ...calling, query: { version } }),
    async jobWorkflow(id, calling = {}) {
      const path = `api/jobs/${pathOf(id)}/workflow`;
      return (await readText(path, `job ${id}`, calling)).workflow;
    },
    read,
    thumbnailUrl: (path, thumb) => http.url(`${at(path)}/thumbnail`, { thumb: thumb ?? null }),
  };
}

/** Files that were dropped do not always say what they are. */
function typeOf(source: Blob | string, name: string): string {
  if (typeof source === "string" || source.type === JSON_TYPE) return JSON_TYPE;
  if (source.type.startsWith("image/")) return source.type;
  const ending = /\.(png|jpe?g|webp)$/i.exec(name)?.[1]?.toLowerCase();
  return ending === undefined ? JSON_TYPE : `image/${ending.replace("jpg", "jpeg")}`;
}
