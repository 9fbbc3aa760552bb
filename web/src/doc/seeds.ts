/** Seeds: inputs that may change by themselves before each run. */

import { reaches } from "./calls";
import { setInput } from "./edits";
import { exposedNames } from "./exposed";
import { coreSchema, fieldKind } from "./fields";
import { readInput } from "./inputs";
import { faceOf, type InputFace, type Library } from "./library";
import { groupOf, withGroup } from "./scope";
import { type Json, own, type SeedMode, type Workflow } from "./types";

/** The largest whole number that JavaScript holds exactly, and so the largest seed. */
export const MOST = Number.MAX_SAFE_INTEGER;

interface SeedInput {
  /** The group that the node stands in; null for the workflow itself. */
  readonly group: string | null;
  readonly node: string;
  readonly input: string;
  readonly mode: SeedMode;
  readonly value: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Every seed that the document itself gives. Left out are those that a wire gives, and in groups
 * those that every call of the group gives, as nobody would see them change.
 */
export function seedInputs(workflow: Workflow, library: Library): SeedInput[] {
  const found: SeedInput[] = [];
  const groups = reaches(workflow, workflow.nodes);
  for (const name of [null, ...groups]) {
    const graph = name === null ? workflow : workflow.groups[name];
    if (!graph) continue;
    const overridden = name === null ? new Set<string>() : alwaysGiven(workflow, name, groups);
    for (const [id, entry] of Object.entries(graph.nodes)) {
      for (const port of faceOf(id, entry, graph, workflow, library).inputs) {
        if (fieldKind(port) !== "seed") continue;
        const raw = own(entry.inputs, port.name);
        if (exposedNames(graph, id, port.name).some((one) => overridden.has(one))) continue;
        const value = seedValue(raw, port);
        if (value === null) continue;
        const mode = own(own(graph.layout.nodes, id)?.seeds, port.name) ?? "fixed";
        found.push({ group: name, node: id, input: port.name, mode, value, ...limits(port) });
      }
    }
  }
  return found;
}

/** The value that an input has; null if a wire gives it. */
function seedValue(raw: Json | undefined, port: InputFace): number | null {
  const source = raw === undefined ? null : readInput(raw);
  if (source && source.kind !== "value") return null;
  const value = source ? source.value : port.default;
  return typeof value === "number" ? value : 0;
}

function limits(port: InputFace): { readonly least: number; readonly most: number } {
  const { minimum, maximum } = coreSchema(port.schema ?? {});
  return {
    least: typeof minimum === "number" ? minimum : 0,
    most: Math.min(MOST, typeof maximum === "number" ? maximum : MOST),
  };
}

/** The exposed inputs of a group that all its calls give, by a literal or a wire. */
function alwaysGiven(
  workflow: Workflow,
  group: string,
  used: ReadonlySet<string>,
): ReadonlySet<string> {
  const graphs = [workflow, ...[...used].map((name) => workflow.groups[name])];
  let given: Set<string> | null = null;
  for (const graph of graphs) {
    for (const entry of Object.values(graph?.nodes ?? {})) {
      if (groupOf(entry.type) !== group) continue;
      const names = new Set(Object.keys(entry.inputs ?? {}));
      given = new Set([...(given ?? names)].filter((name) => names.has(name)));
    }
  }
  return given ?? new Set();
}

/**
 * The document for the next run: seeds that count on do so, and those that are random are drawn.
 *
 * @param random A number from 0 up to but not 1, such as `Math.random` gives.
 */
export function nextSeeds(workflow: Workflow, library: Library, random: () => number): Workflow {
  let next = workflow;
  for (const { group, node, input, mode, value, least, most } of seedInputs(workflow, library)) {
    if (mode === "fixed") continue;
    const graph = group === null ? next : next.groups[group];
    if (!graph) continue;
    const drawn = least + Math.floor(random() * (most - least + 1));
    const following = value >= most ? least : Math.max(least, value + 1);
    const seed = mode === "random" ? Math.min(most, drawn) : following;
    next = withGroup(next, group, setInput(graph, node, input, seed));
  }
  return next;
}
