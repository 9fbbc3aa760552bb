/** What a bypassed node lets through. */

import { exposedNames } from "./exposed";
import { readInput } from "./inputs";
import { joinOf } from "./joins";
import { faceOf, type Library, outputOf } from "./library";
import { type Graph, type LinkRef, own, type Workflow } from "./types";

/** What stands for an output of a bypassed node. */
interface Through {
  readonly output: string;
  /** The input that it lets through; null if none fits, so that whoever takes the output fails. */
  readonly input: string | null;
}

/** What a node lets through when it is bypassed, as `nodeflow.checking.bypass` has it. */
export function bypassShown(
  id: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Through[] {
  const entry = own(graph.nodes, id);
  if (!entry) return [];
  const face = faceOf(id, entry, graph, workflow, library);
  const seen = { graph, given: new Set<string>(), workflow, library };
  return face.outputs.map(({ name }) => ({ output: name, input: passed(id, name, seen, 0) }));
}

/** A graph that is looked through; of a group, with the names of the inputs that its call gives. */
interface Seen {
  readonly graph: Graph;
  readonly given: ReadonlySet<string>;
  readonly workflow: Workflow;
  readonly library: Library;
}

const DEEPEST = 100;

/** The input whose value an output of a bypassed node has; in a group all nodes are bypassed. */
function passed(id: string, output: string | undefined, seen: Seen, depth: number): string | null {
  const entry = own(seen.graph.nodes, id);
  if (!entry || depth > DEEPEST) return null;
  const face = faceOf(id, entry, seen.graph, seen.workflow, seen.library);
  const port = outputOf(face, output);
  if (!port) return null;
  const has = (input: string) =>
    own(entry.inputs, input) !== undefined || givenTo(seen, id, input) !== null;
  const group = face.group === null ? undefined : own(seen.workflow.groups, face.group);
  if (group) {
    const place = own(group.outputs, port.name);
    const given = new Set(Object.keys(group.inputs).filter(has));
    return place ? leadsTo(place, { ...seen, graph: group, given }, depth + 1) : null;
  }
  const fitting = face.inputs.find(
    (one) => has(one.name) && joinOf(one.type, port.type) === "direct",
  );
  return fitting?.name ?? null;
}

/** The exposed input of a bypassed group that a link inside of it leads back to. */
function leadsTo(link: LinkRef, seen: Seen, depth: number): string | null {
  const input = passed(link.node, link.output, seen, depth);
  if (input === null) return null;
  const name = givenTo(seen, link.node, input);
  if (name !== null) return name;
  const source = readInput(own(own(seen.graph.nodes, link.node)?.inputs, input) ?? null);
  if (source.kind === "value") return null;
  const next = source.kind === "link" ? source.link : source.links[0];
  return next ? leadsTo(next, seen, depth + 1) : null;
}

/** The exposed input by which the call gives an inner input its value. */
const givenTo = (seen: Seen, node: string, input: string): string | null =>
  exposedNames(seen.graph, node, input).findLast((name) => seen.given.has(name)) ?? null;

/** The same in words, for each output. */
export const bypassSaid = (
  id: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): readonly string[] =>
  bypassShown(id, graph, workflow, library).map(({ output, input }) =>
    input === null
      ? `${output}: no input fits, so what takes it fails.`
      : `${output}: what comes into ${input}.`,
  );
