/** What a document computes, as `nodeflow.checking.flatten` sees it: for comparing two documents. */

import { literal, placesOf, readInput } from "../../src/doc/inputs";
import { faceOf, inputOf, outputOf } from "../../src/doc/library";
import { groupOf } from "../../src/doc/scope";
import type { Graph, Json, LinkRef, NodeEntry, Workflow } from "../../src/doc/types";
import { LIBRARY } from "./toys";

export interface Flat {
  /** By flat id: its type, its mode, and what each input gets in the end. */
  readonly nodes: Readonly<Record<string, { type: string; mode: string | null; inputs: Json }>>;
  readonly outputs: Readonly<Record<string, string>>;
}

type Source = ReturnType<typeof readInput>;

export function flat(workflow: Workflow): Flat {
  const nodes: Record<
    string,
    { type: string; mode: string | null; inputs: Record<string, Source> }
  > = {};
  const redirects = new Map<string, Record<string, LinkRef>>();

  function expand(
    graph: Graph,
    prefix: string,
    mode: string | null,
    given: Record<string, Source>,
  ) {
    const fed: Record<string, Record<string, Source>> = {};
    for (const [name, places] of Object.entries(graph.inputs)) {
      const source = given[name];
      for (const { node, input } of source ? placesOf(places) : []) {
        fed[node] = { ...fed[node], ...(source && { [input]: source }) };
      }
    }
    for (const [name, entry] of Object.entries(graph.nodes)) {
      const both = [mode, entry.mode].includes("mute") ? "mute" : (mode ?? entry.mode ?? null);
      visit(prefix, name, entry, both, fed[name] ?? {}, graph);
    }
  }

  function visit(
    prefix: string,
    name: string,
    entry: NodeEntry,
    mode: string | null,
    fed: Record<string, Source>,
    graph: Graph,
  ) {
    const id = prefix + name;
    const inputs: Record<string, Source> = {};
    for (const [input, raw] of Object.entries(entry.inputs ?? {})) {
      inputs[input] = moved(readInput(raw), prefix);
    }
    const group = workflow.groups[groupOf(entry.type) ?? ""];
    if (group) {
      expand(group, `${id}/`, mode, { ...inputs, ...fed });
      const outputs: Record<string, LinkRef> = {};
      for (const [output, place] of Object.entries(group.outputs)) {
        outputs[output] = { node: `${id}/${place.node}`, output: place.output ?? "" };
      }
      redirects.set(id, outputs);
      return;
    }
    const face = faceOf(name, entry, graph, workflow, LIBRARY);
    const today = (input: string) => inputOf(face, input)?.name ?? input;
    const all: Record<string, Source> = {};
    for (const [input, source] of Object.entries(inputs)) all[today(input)] = source;
    for (const [input, source] of Object.entries(fed)) all[today(input)] = source;
    nodes[id] = { type: entry.type, mode, inputs: all };
  }

  const follow = (link: LinkRef): string => {
    const outputs = redirects.get(link.node);
    if (outputs) {
      const next = link.output ? outputs[link.output] : Object.values(outputs)[0];
      return next ? follow(next) : "nothing";
    }
    const node = nodes[link.node];
    if (!node) return "nothing";
    const face = faceOf("x", { type: node.type }, workflow, workflow, LIBRARY);
    return JSON.stringify([link.node, outputOf(face, link.output)?.name ?? link.output]);
  };
  const said = (source: Source): Json => {
    if (source.kind === "value") return literal(source.value);
    return source.kind === "link" ? follow(source.link) : source.links.map(follow);
  };

  expand(workflow, "", null, {});
  const resolved: Record<string, { type: string; mode: string | null; inputs: Json }> = {};
  for (const [id, { inputs, ...rest }] of Object.entries(nodes)) {
    const pairs = Object.entries(inputs).map(([input, source]) => [input, said(source)] as const);
    resolved[id] = { ...rest, inputs: Object.fromEntries(pairs) };
  }
  const outputs = Object.entries(workflow.outputs).map(
    ([name, place]) => [name, follow({ node: place.node, output: place.output ?? "" })] as const,
  );
  return { nodes: resolved, outputs: Object.fromEntries(outputs) };
}

const moved = (source: Source, prefix: string): Source => {
  const put = (link: LinkRef): LinkRef => ({ ...link, node: prefix + link.node });
  if (source.kind === "link") return { kind: "link", link: put(source.link) };
  return source.kind === "links" ? { kind: "links", links: source.links.map(put) } : source;
};

/** A flat graph with other ids. */
export function renamed({ nodes, outputs }: Flat, rename: (id: string) => string): Flat {
  const link = (value: Json): Json => {
    if (typeof value === "string" && value.startsWith("[")) {
      const [id = "", output = ""] = JSON.parse(value) as string[];
      return JSON.stringify([rename(id), output]);
    }
    return Array.isArray(value) ? value.map(link) : value;
  };
  const changed = Object.entries(nodes).map(([id, node]) => {
    const inputs = Object.entries(node.inputs as Record<string, Json>).map(
      ([name, value]) => [name, link(value)] as const,
    );
    return [rename(id), { ...node, inputs: Object.fromEntries(inputs) }] as const;
  });
  const shown = Object.entries(outputs).map(
    ([name, value]) => [name, String(link(value))] as const,
  );
  return { nodes: Object.fromEntries(changed), outputs: Object.fromEntries(shown) };
}

/** The document with a value put into one of its exposed inputs, as a run with that value has it. */
export function withExposedValue(workflow: Workflow, name: string, value: number): Workflow {
  const nodes: Record<string, NodeEntry> = { ...workflow.nodes };
  for (const { node, input } of placesOf(workflow.inputs[name] ?? [])) {
    const entry = nodes[node];
    if (entry) nodes[node] = { ...entry, inputs: { ...entry.inputs, [input]: value } };
  }
  return { ...workflow, nodes };
}
