/** Which output may join which input: the rules of `nodeflow.sockets.join`, and why not. */

import { readInput, wiresInto } from "./inputs";
import { type Face, faceOf, type InputFace, inputOf, type Library, outputOf } from "./library";
import { type Graph, type Json, type LinkRef, type NodeEntry, own, type Workflow } from "./types";

const ANY = "any";

/** How an output meets an input: as it is, once for each item, or as a list of one. */
type Join = "direct" | "each" | "wrap";

export const itemType = (name: string): string | null =>
  name.startsWith("list[") && name.endsWith("]") ? name.slice(5, -1) : null;

export const isVariable = (name: string): boolean => {
  const inner = itemType(name);
  return inner === null ? name.startsWith("~") : isVariable(inner);
};

/** How a value of type `source` enters an input of type `target`; null if it may not. */
export function joinOf(source: string, target: string): Join | null {
  if (same(source, target)) return "direct";
  const sourceItem = itemType(source);
  const targetItem = itemType(target);
  if (sourceItem !== null && targetItem === null) {
    return target.startsWith("~") || same(sourceItem, target) ? "each" : null;
  }
  return targetItem !== null && sourceItem === null && same(source, targetItem) ? "wrap" : null;
}

/** Whether an output of type `source` may enter an input of type `target`. */
export const joins = (source: string, target: string): boolean => joinOf(source, target) !== null;

function same(source: string, target: string): boolean {
  if (source === target || source === ANY || target === ANY) return true;
  const sourceItem = itemType(source);
  const targetItem = itemType(target);
  if (sourceItem !== null && targetItem !== null) return same(sourceItem, targetItem);
  if (target.startsWith("~")) return sourceItem === null;
  if (source.startsWith("~")) return targetItem === null;
  if (source === "int" && target === "float") return true;
  return target === "json" && ["int", "float", "str", "bool"].includes(source);
}

interface Ancestry {
  readonly node: string;
  readonly ancestors: ReadonlySet<string>;
}

// While a wire is dragged every socket asks about the same source.
const ancestries = new WeakMap<object, Ancestry>();

function ancestorsOf(graph: Graph, node: string): ReadonlySet<string> {
  const known = ancestries.get(graph.nodes);
  if (known?.node === node) return known.ancestors;
  const ancestors = new Set<string>([node]);
  const open = [node];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const wire of wiresInto(id, own(graph.nodes, id)?.inputs)) {
      if (ancestors.has(wire.from.node)) continue;
      ancestors.add(wire.from.node);
      open.push(wire.from.node);
    }
  }
  ancestries.set(graph.nodes, { node, ancestors });
  return ancestors;
}

/** Whether a wire from one node to another would close a loop. */
export const loops = (graph: Graph, from: string, to: string): boolean =>
  ancestorsOf(graph, from).has(to);

/** What the type variables of one node stand for; as `nodeflow.checking.joining.Bindings`. */
class Bindings {
  private readonly bound = new Map<string, string>();

  /** Let `wanted` stand for `given`; false if it already stands for something else. */
  bind(wanted: string, given: string): boolean {
    if (!isVariable(wanted)) return true;
    let [name, type] = [wanted, given];
    for (let inner = itemType(name); inner !== null; inner = itemType(name)) {
      type = itemType(type) ?? type;
      name = inner;
    }
    const known = this.bound.get(name);
    if (known === undefined || known === ANY || joinOf(known, type) === "direct") {
      this.bound.set(name, type);
      return true;
    }
    return joinOf(type, known) === "direct";
  }

  apply(name: string): string {
    const inner = itemType(name);
    if (inner !== null) return `list[${this.apply(inner)}]`;
    return name.startsWith("~") ? (this.bound.get(name) ?? ANY) : name;
  }
}

function literalType(value: Json): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  if (typeof value === "string") return "str";
  return typeof value === "boolean" ? "bool" : "json";
}

interface Types {
  readonly groups: Workflow["groups"];
  readonly library: Library;
  /** Output types by node; null while a node is being looked at, for graphs with loops. */
  readonly found: Map<string, NodeTypes | null>;
}

interface NodeTypes {
  readonly face: Face;
  readonly bindings: Bindings;
  readonly mapped: boolean;
}

const typesByNodes = new WeakMap<object, Types>();

/** How deep types are followed; behind that they are `any`, which refuses nothing. */
const DEEPEST = 1000;

/**
 * The type that an output really has in a graph: a type variable stands for what enters the node,
 * and a node that runs once for each item of a list gives lists.
 */
export function outputType(
  link: LinkRef,
  graph: Graph,
  workflow: Workflow,
  library: Library,
  depth = 0,
): string {
  const types = nodeTypes(link.node, graph, workflow, library, depth);
  const port = types && outputOf(types.face, link.output);
  if (!types || !port) return ANY;
  const type = types.bindings.apply(port.type);
  return types.mapped ? `list[${type}]` : type;
}

function nodeTypes(
  id: string,
  graph: Graph,
  workflow: Workflow,
  library: Library,
  depth: number,
): NodeTypes | null {
  let types = typesByNodes.get(graph.nodes);
  if (types?.groups !== workflow.groups || types.library !== library) {
    types = { groups: workflow.groups, library, found: new Map() };
    typesByNodes.set(graph.nodes, types);
  }
  const known = types.found.get(id);
  const entry = own(graph.nodes, id);
  if (known !== undefined || !entry || depth > DEEPEST) return known ?? null;
  types.found.set(id, null);
  const face = faceOf(id, entry, graph, workflow, library);
  const given = (link: LinkRef) => outputType(link, graph, workflow, library, depth + 1);
  const made = { face, ...boundBy(face.inputs, entry, given) };
  types.found.set(id, made);
  return made;
}

/** What enters some inputs of a node binds its variables, in the order in which they are declared. */
function boundBy(
  ports: readonly InputFace[],
  entry: NodeEntry,
  given: (link: LinkRef) => string,
): { bindings: Bindings; mapped: boolean } {
  const bindings = new Bindings();
  let mapped = false;
  for (const port of ports) {
    const raw = own(entry.inputs, port.name);
    if (raw === undefined) continue;
    const source = readInput(raw);
    if (source.kind === "value") {
      if (source.value !== null) bindings.bind(port.type, literalType(source.value));
      continue;
    }
    for (const link of source.kind === "link" ? [source.link] : source.links) {
      const type = given(link);
      const how = entering(type, port);
      bindings.bind(port.type, how === "each" ? (itemType(type) ?? type) : type);
      mapped ||= how === "each" && source.kind === "link" && !port.grows;
    }
  }
  return { bindings, mapped };
}

/** A lazy input is never mapped: a variable takes the whole list, and other types none. */
function entering(type: string, port: InputFace): Join | null {
  const how = joinOf(type, port.type);
  if (how !== "each" || !port.lazy) return how;
  return isVariable(port.type) ? "direct" : null;
}

/** Why a wire may not be, as a sentence; null if it may. */
export function refuse(
  graph: Graph,
  workflow: Workflow,
  library: Library,
  from: LinkRef,
  to: { readonly node: string; readonly input: string },
): string | null {
  const target = own(graph.nodes, to.node);
  if (!target || !own(graph.nodes, from.node)) return "That node is gone.";
  const face = faceOf(to.node, target, graph, workflow, library);
  const port = inputOf(face, to.input);
  const given = outputType(from, graph, workflow, library);
  if (port) {
    const how = entering(given, port);
    const type = how === "each" ? (itemType(given) ?? given) : given;
    const others = face.inputs.filter((one) => one !== port);
    const { bindings } = boundBy(others, target, (link) =>
      outputType(link, graph, workflow, library),
    );
    const wanted = isVariable(port.type) ? bindings.apply(port.type) : port.type;
    if (how === null || !bindings.bind(port.type, type)) return `${given} does not fit ${wanted}.`;
  }
  return loops(graph, from.node, to.node) ? "That would make a loop." : null;
}
