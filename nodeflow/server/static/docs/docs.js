// The page: reads /openapi.json of its own server and lists what it says, by tag.

import { element, prose } from "./dom.js";
import { answers, tryForm } from "./form.js";
import { resolve, schemaTable } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

async function main() {
  const place = document.getElementById("operations");
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(`/openapi.json answered ${response.status}.`);
    show(await response.json(), place);
  } catch (error) {
    place.replaceChildren(element("p", { className: "bad" }, String(error.message ?? error)));
  }
}

function show(api, place) {
  const found = operations(api);
  const index = document.getElementById("index");
  const header = element(
    "header",
    {},
    element("h1", {}, `${api.info.title} ${api.info.version}`),
    ...prose(api.info.description),
  );
  place.replaceChildren(header);
  index.replaceChildren();
  for (const { name } of api.tags) {
    const tagged = found.filter((item) => item.operation.tags.includes(name));
    if (!tagged.length) continue;
    place.append(element("section", {}, element("h2", {}, name), ...tagged.map((item) => item.details)));
    index.append(element("section", {}, element("h2", {}, name), ...tagged.map((item) => item.link)));
  }
  listenToFilter(found);
  openNamed();
  addEventListener("hashchange", openNamed);
}

function operations(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => described(method, path, item[method], api)),
  );
}

function described(method, path, operation, api) {
  const id = operation.operationId;
  const content = element("div");
  const details = element(
    "details",
    { id, className: "operation" },
    element(
      "summary",
      {},
      element("span", { className: `method ${method}` }, method.toUpperCase()),
      element("span", { className: "path" }, path),
      element("span", { className: "dim" }, operation.summary),
    ),
    content,
  );
  // Made when it is opened: there may be hundreds.
  details.addEventListener(
    "toggle",
    () => content.replaceChildren(...parts(method, path, operation, api)),
    { once: true },
  );
  const link = element("a", { href: `#${id}`, title: `${method.toUpperCase()} ${path}` }, operation.summary);
  const words = `${method} ${path} ${operation.summary}`.toLowerCase();
  return { operation, details, link, words };
}

function parts(method, path, operation, api) {
  const body = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema }]) => [
    element("h3", {}, `Body as ${type}`),
    ...prose(resolve(schema, api).description),
    schemaTable(schema, api) ?? element("p", { className: "dim" }, "any content"),
  ]);
  const result = Object.values(operation.responses["200"]?.content ?? {})[0]?.schema;
  const table = result && schemaTable(result, api);
  return [
    ...prose(operation.description),
    ...parameterTable(operation.parameters ?? [], api),
    ...body,
    element("h3", {}, "Answers"),
    element("table", {}, element("tbody", {}, ...answers(operation.responses, api))),
    ...(table ? [element("h3", {}, "What 200 holds"), table] : []),
    tryForm(method, path, operation, api),
  ];
}

function parameterTable(parameters, api) {
  if (!parameters.length) return [];
  const properties = Object.fromEntries(
    parameters.map((item) => [item.name, { ...item.schema, description: item.description }]),
  );
  const required = parameters.filter((item) => item.required).map((item) => item.name);
  return [element("h3", {}, "Parameters"), schemaTable({ properties, required }, api)];
}

function listenToFilter(found) {
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { details, link, words } of found) {
      const hidden = !wanted.every((word) => words.includes(word));
      details.hidden = hidden;
      link.hidden = hidden;
    }
    for (const section of document.querySelectorAll("section")) {
      section.hidden = !section.querySelector("details:not([hidden]), a:not([hidden])");
    }
  });
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
}

await main();
