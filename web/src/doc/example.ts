/** A node as a document writes it, with all that it needs: to be read, and to be copied from. */

import { choicesOf, coreSchema } from "./fields";
import { linkJson, literal } from "./inputs";
import type { Face, InputFace, Library } from "./library";
import type { Json, JsonObject, LinkRef } from "./types";

/** The part of a document that holds one node of a type; what it is given by wires has likely names. */
export function exampleOf(id: string, type: string, face: Face, library: Library): JsonObject {
  const inputs: Record<string, Json> = {};
  for (const port of face.inputs) {
    const value = inputOf(port, library);
    if (value !== undefined) inputs[port.name] = value;
  }
  return { nodes: { [id]: { type, ...(face.inputs.length > 0 && { inputs }) } } };
}

/** What an input may be; undefined for one that is best left out. */
function inputOf(port: InputFace, library: Library): Json | undefined {
  if (port.schema === null || port.grows) {
    if (!port.required && !port.grows) return undefined;
    const source = linkJson(giverOf(port.type, library));
    return port.grows ? [source] : source;
  }
  return literal(port.required ? someValue(port.schema) : port.default);
}

/** The first node that gives a type, by the name that it would have. */
function giverOf(type: string, library: Library): LinkRef {
  for (const [id, spec] of Object.entries(library.nodes)) {
    const output = spec.outputs.find((one) => one.type === type);
    if (!output) continue;
    const node = id.split(".").at(-1) ?? id;
    return spec.outputs.length > 1 ? { node, output: output.name } : { node };
  }
  return { node: "another" };
}

const PLAIN: Readonly<Record<string, Json>> = {
  string: "...",
  integer: 0,
  number: 0,
  boolean: false,
  array: [],
};

function someValue(schema: JsonObject): Json {
  const core = coreSchema(schema);
  const [choice] = choicesOf(core);
  if (choice !== undefined) return choice;
  if (typeof core.minimum === "number") return core.minimum;
  return PLAIN[String(core.type)] ?? null;
}
