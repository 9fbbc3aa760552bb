/** Which control an input has and how high it is; the components themselves are in `widgets/`. */

import type { InputFace } from "./library";
import type { Json, JsonObject } from "./types";

export const FIELD = 28;

export type FieldKind =
  | "none"
  | "number"
  | "toggle"
  | "choice"
  | "text"
  | "prompt"
  | "seed"
  | "colour"
  | "file"
  | "image"
  | "mask"
  | "curve"
  | "point"
  | "json"
  | "plugin";

const HEIGHTS: Readonly<Partial<Record<FieldKind, number>>> = {
  none: 24,
  prompt: 96,
  image: 168,
  curve: 140,
  plugin: 56,
};

/** The lowest and highest that a field may be whose height is chosen. */
export const RESIZED = { least: 48, most: 800 } as const;

/** The part of a schema that says what a value is, without `null`. */
export function coreSchema(schema: JsonObject): JsonObject {
  const parts = schema.anyOf;
  if (!Array.isArray(parts)) return schema;
  const core = parts.find((part) => (part as JsonObject).type !== "null");
  return (core as JsonObject | undefined) ?? schema;
}

/** What may be chosen from; empty if the schema is no choice. */
export function choicesOf(schema: JsonObject): readonly Json[] {
  if (Array.isArray(schema.enum)) return schema.enum;
  if ("const" in schema) return [schema.const ?? null];
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf.flatMap((part) => choicesOf(part as JsonObject));
  }
  return [];
}

const NAMED: readonly FieldKind[] = [
  "seed",
  "prompt",
  "colour",
  "curve",
  "point",
  "mask",
  "image",
  "text",
  "number",
];

/** The control of an input. Widgets that no control here is named after are a pack's own. */
export function fieldKind(port: InputFace): FieldKind {
  if (port.schema === null || port.grows) return "none";
  if (port.widget) {
    const named = NAMED.find((kind) => kind === port.widget);
    return named ?? "plugin";
  }
  if (port.file) return port.file.root === "inputs" ? "image" : "file";
  const core = coreSchema(port.schema);
  if (choicesOf(core).length > 0) return "choice";
  if (core.type === "boolean") return "toggle";
  if (core.type === "integer" || core.type === "number") return "number";
  return core.type === "string" ? "text" : "json";
}

/** The controls whose height is for the user to choose. */
const RESIZABLE: ReadonlySet<FieldKind> = new Set(["prompt", "plugin", "image"]);

export const isResizable = (port: InputFace): boolean => RESIZABLE.has(fieldKind(port));

/** Height of the row of an input, in pixels. */
export function fieldHeight(port: InputFace, resized?: number): number {
  const kind = fieldKind(port);
  const declared = kind === "plugin" ? port.options.height : undefined;
  const wanted = RESIZABLE.has(kind) ? (resized ?? declared) : undefined;
  if (typeof wanted === "number") return Math.min(RESIZED.most, Math.max(RESIZED.least, wanted));
  return HEIGHTS[kind] ?? FIELD;
}
