/** What nodes there are, and the face that a node of a document shows: its ports and its title. */

import type { InputSpec, NodeSpec, SocketSpec } from "../gen/nodes";
import { placesOf, readInput, type Wire, wiresFrom } from "./inputs";
import { groupOf } from "./scope";
import {
  type Graph,
  type Json,
  type JsonObject,
  type NodeEntry,
  own,
  type Workflow,
} from "./types";

/** Everything that the packs declare, by id; `earlier` leads from former ids to today's. */
export interface Library {
  readonly nodes: Readonly<Record<string, NodeSpec>>;
  readonly sockets: Readonly<Record<string, SocketSpec>>;
  readonly earlier: Readonly<Record<string, string>>;
}

export interface InputFace {
  readonly name: string;
  /** Socket type; of a growing input that of one link. */
  readonly type: string;
  readonly required: boolean;
  readonly default: Json;
  /** What a literal must be; null if only a wire will do. */
  readonly schema: JsonObject | null;
  readonly file: { readonly root: string; readonly folder: boolean } | null;
  readonly lazy: boolean;
  readonly grows: boolean;
  readonly optional: boolean;
  readonly description: string;
  readonly widget: string | null;
  readonly options: JsonObject;
}

export interface OutputFace {
  readonly name: string;
  readonly type: string;
  readonly description: string;
}

export interface Face {
  readonly title: string;
  readonly inputs: readonly InputFace[];
  readonly outputs: readonly OutputFace[];
  /** No pack provides the type, or the group is gone; its ports are those that are in use. */
  readonly unknown: boolean;
  readonly spec: NodeSpec | null;
  /** Name of the group that it calls. */
  readonly group: string | null;
  readonly category: string;
  readonly description: string;
  /** Which pictures it can show: what it saves, what it samples, or the value that it hands on. */
  readonly shows: "none" | "result" | "preview" | "value";
}

export const makeLibrary = (
  nodes: Readonly<Record<string, NodeSpec>>,
  sockets: Readonly<Record<string, SocketSpec>>,
): Library => {
  const earlier: Record<string, string> = {};
  for (const spec of Object.values(nodes)) {
    for (const was of spec.was) if (!Object.hasOwn(earlier, was)) earlier[was] = spec.id;
  }
  return { nodes, sockets, earlier };
};

export const specOf = (library: Library, type: string): NodeSpec | null =>
  own(library.nodes, type) ?? own(library.nodes, own(library.earlier, type) ?? "") ?? null;

/** The nodes that people add, by title: none of the engine's own, and none that is going away. */
export const placeable = (library: Library): NodeSpec[] =>
  Object.values(library.nodes)
    .filter((spec) => spec.deprecated === "" && spec.pack !== "nodeflow")
    .sort((a, b) => a.title.localeCompare(b.title));

/** `encode_text` as people read it: `Encode text`. */
export function humanize(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const inputFace = (input: InputSpec): InputFace => ({
  name: input.name,
  type: input.type,
  required: input.required,
  default: (input.default ?? null) as Json,
  schema: (input.json_schema ?? null) as JsonObject | null,
  file: input.file ? { root: input.file.root, folder: input.file.folder ?? false } : null,
  lazy: input.lazy,
  grows: input.grows,
  optional: input.optional,
  description: input.description,
  widget: input.widget ?? null,
  options: (input.widget_options ?? {}) as JsonObject,
});

const specFaces = new WeakMap<NodeSpec, Face>();

function specFace(spec: NodeSpec): Face {
  const remembered = specFaces.get(spec);
  if (remembered) return remembered;
  const pictures = spec.inputs.some((input) => input.type === "Image");
  const samples = spec.outputs.some((output) => output.type === "Latent");
  const works = Object.values(spec.services).includes("progress");
  const makes = spec.outputs.some((output) => output.type === "Image");
  const face: Face = {
    title: spec.title,
    inputs: spec.inputs.map(inputFace),
    outputs: spec.outputs,
    unknown: false,
    spec,
    group: null,
    category: spec.category,
    description: spec.description,
    shows: shownBy(spec.end && pictures, works && samples, makes),
  };
  specFaces.set(spec, face);
  return face;
}

function shownBy(saves: boolean, samples: boolean, makes: boolean): Face["shows"] {
  if (saves) return "result";
  if (samples) return "preview";
  return makes ? "value" : "none";
}

/** The names of a record in the order that a layout gives; what it leaves out follows. */
export function ordered(record: object, order: readonly string[] = []): string[] {
  const names = Object.keys(record);
  const listed = new Set(order.filter((name) => Object.hasOwn(record, name)));
  return [...listed, ...names.filter((name) => !listed.has(name))];
}

interface GroupFace {
  readonly groups: Workflow["groups"];
  readonly library: Library;
  readonly face: Face;
}

const groupFaces = new WeakMap<Graph, GroupFace>();

/** Groups whose faces are being made: one that contains itself, which is wrong, still has a face. */
const entered = new WeakSet<Graph>();

function groupFace(name: string, graph: Graph, workflow: Workflow, library: Library): Face {
  const remembered = groupFaces.get(graph);
  if (remembered?.groups === workflow.groups && remembered.library === library) {
    return remembered.face;
  }
  entered.add(graph);
  const face: Face = {
    title: name,
    inputs: ordered(graph.inputs, graph.layout.inputs).map((input) =>
      exposedInput(input, graph, workflow, library),
    ),
    outputs: ordered(graph.outputs, graph.layout.outputs).map((output) =>
      exposedOutput(output, graph, workflow, library),
    ),
    unknown: false,
    spec: null,
    group: name,
    category: "group",
    description: (graph as { description?: string }).description ?? "",
    shows: "none",
  };
  entered.delete(graph);
  groupFaces.set(graph, { groups: workflow.groups, library, face });
  return face;
}

function innerFace(id: string, graph: Graph, workflow: Workflow, library: Library): Face | null {
  const entry = own(graph.nodes, id);
  return entry ? faceOf(id, entry, graph, workflow, library) : null;
}

/** An input of a group is as the first place that it feeds; it grows if all of them do. */
function exposedInput(name: string, graph: Graph, workflow: Workflow, library: Library): InputFace {
  const places = placesOf(graph.inputs[name] ?? []);
  const ports = places.map((place) => {
    const face = innerFace(place.node, graph, workflow, library);
    return face ? inputOf(face, place.input) : null;
  });
  const [place] = places;
  const [port] = ports;
  const raw = place && own(own(graph.nodes, place.node)?.inputs, place.input);
  const given = raw === undefined ? undefined : readInput(raw);
  const fallback = given?.kind === "value" ? given.value : (port?.default ?? null);
  const linked = given !== undefined && given.kind !== "value";
  return {
    ...(port ?? anyInput(name)),
    name,
    grows: ports.length > 0 && ports.every((one) => one?.grows === true),
    default: fallback,
    required: (port?.required ?? false) && given === undefined,
    optional: (port?.optional ?? false) || linked,
  };
}

function exposedOutput(
  name: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): OutputFace {
  const place = graph.outputs[name];
  const face = place ? innerFace(place.node, graph, workflow, library) : null;
  const port = face && outputOf(face, place?.output);
  return { name, type: port?.type ?? "any", description: port?.description ?? "" };
}

const anyInput = (name: string): InputFace => ({
  name,
  type: "any",
  required: false,
  default: null,
  schema: null,
  file: null,
  lazy: false,
  grows: false,
  optional: true,
  description: "",
  widget: null,
  options: {},
});

interface UnknownFace {
  readonly outputs: Graph["outputs"];
  readonly inputs: Graph["inputs"];
  readonly wires: readonly Wire[] | undefined;
  readonly face: Face;
}

const unknownFaces = new WeakMap<NodeEntry, UnknownFace>();

/** A node of a type that nobody knows: its ports are the inputs it has and the outputs others take. */
function unknownFace(id: string, entry: NodeEntry, graph: Graph): Face {
  const wires = wiresFrom(graph).get(id);
  const found = unknownFaces.get(entry);
  const { inputs, outputs } = graph;
  if (found && found.inputs === inputs && found.outputs === outputs) {
    // The wires of a graph are listed anew after each edit; those of one node are few.
    if (sameTakers(found.wires, wires)) return found.face;
  }
  const taken = new Set((wires ?? []).map((wire) => wire.from.output ?? ""));
  for (const place of Object.values(outputs)) if (place.node === id) taken.add(place.output ?? "");
  const names = new Set(Object.keys(entry.inputs ?? {}));
  for (const place of Object.values(inputs).flatMap(placesOf)) {
    if (place.node === id) names.add(place.input);
  }
  const face: Face = {
    title: groupOf(entry.type) ?? entry.type,
    inputs: [...names].map((name) => unknownInput(name, own(entry.inputs, name))),
    outputs: [...taken].map((name) => ({ name, type: "any", description: "" })),
    unknown: true,
    spec: null,
    group: null,
    category: "",
    description: "",
    shows: "none",
  };
  unknownFaces.set(entry, { inputs, outputs, wires, face });
  return face;
}

function unknownInput(name: string, raw: Json | undefined): InputFace {
  const source = raw === undefined ? null : readInput(raw);
  return {
    ...anyInput(name),
    grows: source?.kind === "links",
    schema: source?.kind === "value" ? {} : null,
  };
}

const sameTakers = (a: readonly Wire[] | undefined, b: readonly Wire[] | undefined): boolean =>
  a === b || (a?.length === b?.length && (a ?? []).every((wire, index) => wire === b?.[index]));

/** What a node shows: from its declaration, from the group that it calls, or from its use. */
export function faceOf(
  id: string,
  entry: NodeEntry,
  graph: Graph,
  workflow: Workflow,
  library: Library,
): Face {
  const name = groupOf(entry.type);
  const group = name === null ? undefined : own(workflow.groups, name);
  if (name !== null && group && !entered.has(group))
    return groupFace(name, group, workflow, library);
  const spec = specOf(library, entry.type);
  return spec ? specFace(spec) : unknownFace(id, entry, graph);
}

/** The output that a link means; an empty name means the only one. */
export function outputOf(face: Face, name: string | undefined): OutputFace | null {
  if (!name) return face.outputs[0] ?? null;
  const was = face.spec?.outputs.find((port) => port.was.includes(name))?.name;
  return face.outputs.find((port) => port.name === name || port.name === was) ?? null;
}

/** The input of this name, or of this earlier name. */
export const inputOf = (face: Face, name: string): InputFace | null => {
  const was = face.spec?.inputs.find((port) => port.was.includes(name))?.name;
  return (
    face.inputs.find((port) => port.name === name) ??
    face.inputs.find((port) => port.name === was) ??
    null
  );
};
