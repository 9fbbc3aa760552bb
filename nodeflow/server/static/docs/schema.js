// JSON Schema as people read it: a short name of the type, its limits, and a table of properties.

import { element, prose } from "./dom.js";

const DEEPEST = 4;

/** Follows `$ref`s into the document. */
export function resolve(schema, document) {
  let found = schema ?? {};
  for (let step = 0; step < 20 && found.$ref; step += 1) {
    const parts = found.$ref.replace(/^#\//, "").split("/");
    const target = parts.reduce(
      (place, part) => place?.[part.replaceAll("~1", "/").replaceAll("~0", "~")],
      document,
    );
    const { $ref, ...beside } = found;
    found = { ...(target ?? {}), ...beside };
  }
  return found;
}

/** The type in a few words: `integer, 1 to 100`. */
export function typeName(schema, document) {
  const found = resolve(schema, document);
  const options = found.anyOf ?? found.oneOf;
  if (options) return options.map((part) => typeName(part, document)).join(" or ");
  if (found.allOf) return found.allOf.map((part) => typeName(part, document)).join(", and ");
  if (found.enum) return `one of ${found.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  if ("const" in found) return JSON.stringify(found.const);
  if (found.format === "binary") return "file";
  if (found.type === "array") return `list of ${typeName(found.items, document)}`;
  return [found.type ?? "any JSON", limits(found)].filter(Boolean).join(", ");
}

function limits(schema) {
  const said = [];
  const { minimum: low, maximum: high } = schema;
  if (low !== undefined && high !== undefined) said.push(`${low} to ${high}`);
  else if (low !== undefined) said.push(`at least ${low}`);
  else if (high !== undefined) said.push(`at most ${high}`);
  if (schema.multipleOf !== undefined) said.push(`multiple of ${schema.multipleOf}`);
  if (schema.minLength) said.push(`at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined) said.push(`at most ${schema.maxLength} characters`);
  return said.join(", ");
}

/** A table of an object's properties, or null if it has none. */
export function schemaTable(schema, document, depth = 0) {
  let found = resolve(schema, document);
  if (found.type === "array") found = resolve(found.items, document);
  const properties = Object.entries(found.properties ?? {});
  if (!properties.length || depth > DEEPEST) return null;
  const required = new Set(found.required ?? []);
  const rows = properties.map(([name, part]) => row(name, part, required.has(name), document, depth));
  return element("table", {}, element("tbody", {}, ...rows));
}

function row(name, part, required, document, depth) {
  const schema = resolve(part, document);
  const inner = schemaTable(nested(schema, document), document, depth + 1);
  return element(
    "tr",
    {},
    element("td", {}, name, required ? element("span", { className: "bad", title: "required" }, " *") : ""),
    element(
      "td",
      {},
      element("span", { className: "dim" }, typeName(part, document)),
      "default" in schema
        ? element("span", { className: "dim" }, `; ${JSON.stringify(schema.default)} if left out`)
        : "",
      ...prose(schema.description),
      inner
        ? element("details", {}, element("summary", { className: "dim" }, "what is in it"), inner)
        : null,
    ),
  );
}

/** Of a choice between an object and null, the object. */
function nested(schema, document) {
  const options = schema.anyOf ?? schema.oneOf;
  const objects = options?.map((part) => resolve(part, document)).filter((part) => part.properties);
  if (objects?.length) return objects[0];
  if (schema.additionalProperties?.$ref) return schema.additionalProperties;
  return schema;
}
