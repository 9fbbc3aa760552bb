// Types: `../schema/*.json`, which Python writes, as TypeScript in `src/gen/`. With `--check`
// nothing is written; files that are not what the schemas say are named.
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const SCHEMAS = new URL("../../schema/", import.meta.url);
const TYPES = new URL("../src/gen/", import.meta.url);

const HEADER = `// Written by scripts/types.mjs from schema/FILE; change the Python models, then run
// 'make schema'.
`;

// The compiler knows no name for this, so it stands here.
const JSON_TS = `// Written by scripts/types.mjs.

/** Whatever JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
`;

const OPTIONS = {
  bannerComment: "",
  // A model that says nothing of further keys has none.
  additionalProperties: false,
  ignoreMinAndMaxItems: true,
  unknownAny: true,
  style: { printWidth: 100 },
};

const isObject = (part) => typeof part === "object" && part !== null && !Array.isArray(part);

/** Keys whose values are schemas by name, not schemas: a property may well be called `title`. */
const NAMED = new Set(["properties", "$defs"]);

const JSON_VALUE = "#/$defs/JsonValue";

/** A schema in the words that the compiler turns into the types a person would write. */
function plain(part, imports) {
  if (Array.isArray(part)) return part.map((item) => plain(item, imports));
  if (!isObject(part)) return part;
  const kept = without(part, ["title", "$schema", "default", "discriminator"]);
  if (kept.$ref !== undefined) return reference(kept, imports);
  if (Object.keys(kept).every((key) => key === "description")) return json(kept, imports);
  return Object.fromEntries(
    Object.entries(kept).map(([key, value]) => [
      key,
      NAMED.has(key) ? named(value, imports) : plain(value, imports),
    ]),
  );
}

const without = (part, keys) =>
  Object.fromEntries(Object.entries(part).filter(([key]) => !keys.includes(key)));

const named = (parts, imports) =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, plain(part, imports)]));

/** Another file's model is imported; a description beside a reference makes no model of its own. */
function reference({ $ref, description }, imports) {
  const said = description === undefined ? {} : { description };
  if ($ref === JSON_VALUE) return json(said, imports);
  const name = $ref.split("/").at(-1);
  if ($ref.startsWith("#")) return description === undefined ? { $ref } : { ...said, tsType: name };
  const [file] = $ref.split("#");
  const type = name.endsWith(".json") ? pascal(name.slice(0, -5)) : name;
  const module = file.slice(0, -5);
  return imported(said, type, module, imports);
}

const json = (said, imports) => imported(said, "JsonValue", "json", imports);

function imported(said, type, module, imports) {
  imports.set(module, (imports.get(module) ?? new Set()).add(type));
  return { ...said, tsType: type };
}

const pascal = (name) => name.charAt(0).toUpperCase() + name.slice(1);

async function typesOf(file) {
  const schema = JSON.parse(await readFile(new URL(file, SCHEMAS), "utf8"));
  const imports = new Map();
  delete schema.$defs?.JsonValue;
  const root = { ...plain(schema, imports), title: schema.title ?? pascal(file.slice(0, -5)) };
  const body = await compile(root, root.title, OPTIONS);
  const lines = [...imports].map(
    ([module, names]) => `import type { ${[...names].sort().join(", ")} } from "./${module}";\n`,
  );
  const head = [HEADER.replace("FILE", file), lines.sort().join("")];
  return [...head, body].filter(Boolean).join("\n");
}

async function texts() {
  const files = (await readdir(SCHEMAS)).sort();
  const made = files.map(async (file) => [file.replace(/json$/, "ts"), await typesOf(file)]);
  return [...(await Promise.all(made)), ["json.ts", JSON_TS]];
}

async function main() {
  const check = process.argv.includes("--check");
  await mkdir(TYPES, { recursive: true });
  const stale = [];
  for (const [name, text] of await texts()) {
    const target = new URL(name, TYPES);
    if ((await readFile(target, "utf8").catch(() => "")) === text) continue;
    stale.push(`src/gen/${name}`);
    if (!check) await writeFile(target, text);
  }
  if (check && stale.length > 0) {
    console.error(`Not what the schemas say: ${stale.join(", ")}. 'make schema' writes them anew.`);
    process.exitCode = 1;
  }
}

await main();
