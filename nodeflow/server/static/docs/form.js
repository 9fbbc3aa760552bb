// The form that tries an operation: a field for each parameter and input, then the answer.

import { element, prose } from "./dom.js";
import { resolve, typeName } from "./schema.js";

const JSON_TYPE = "application/json";
const FORM_TYPE = "multipart/form-data";

/** A form for one operation. */
export function tryForm(method, path, operation, document) {
  const answer = element("div", { className: "answer" });
  const parameters = (operation.parameters ?? []).map((item) => ({
    item,
    control: control(item.schema, document, item.required),
  }));
  const body = bodyFields(operation.requestBody, document);
  const accept = acceptField(operation.responses?.["200"]);
  const form = element(
    "form",
    { className: "try" },
    element("h3", {}, "Try it"),
    ...parameters.map(({ item, control: field }) => labelled(item.name, field, item.required, `in the ${item.in}`)),
    ...body.fields,
    accept ? labelled("Accept", accept, false, "how the answer comes") : null,
    element("button", { type: "submit" }, "Send"),
    answer,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const request = await prepared(method, path, parameters, body, accept);
      await send(request, answer);
    } catch (error) {
      answer.replaceChildren(element("p", { className: "bad" }, String(error.message ?? error)));
    } finally {
      button.disabled = false;
    }
  });
  return form;
}

function labelled(name, field, required, hint) {
  return element(
    "label",
    { className: "field" },
    element("span", {}, name, required ? " *" : "", element("br"), element("small", { className: "dim" }, hint)),
    field.input,
  );
}

/** A control with a `read()` that gives undefined for what was left empty. */
function control(given, document, required) {
  const schema = resolve(given, document);
  const hint = typeName(schema, document);
  const choices = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
  if (schema.format === "binary") {
    const input = element("input", { type: "file", required });
    return { input, isFile: true, read: () => input.files[0] };
  }
  if (choices) {
    const input = element(
      "select",
      { required },
      element("option", { value: "" }, "default" in schema ? `(${JSON.stringify(schema.default)})` : ""),
      ...choices.map((value) => element("option", { value: JSON.stringify(value) }, String(value))),
    );
    return { input, read: () => (input.value === "" ? undefined : JSON.parse(input.value)) };
  }
  if (schema.type === "integer" || schema.type === "number") {
    const input = element("input", {
      type: "number",
      min: schema.minimum,
      max: schema.maximum,
      step: schema.multipleOf ?? (schema.type === "integer" ? 1 : "any"),
      placeholder: schema.default ?? hint,
      required,
    });
    return { input, read: () => (input.value === "" ? undefined : Number(input.value)) };
  }
  if (schema.type === "string") {
    const long = (schema.default ?? "").length > 60 || (schema.default ?? "").includes("\n");
    const input = element(long ? "textarea" : "input", { placeholder: schema.default || hint, required });
    return { input, read: () => (input.value === "" ? undefined : input.value) };
  }
  const input = element("textarea", { className: "json", rows: 2, placeholder: hint, required });
  return { input, read: () => (input.value.trim() === "" ? undefined : readJson(input.value, hint)) };
}

function readJson(text, what) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`"${text.slice(0, 60)}" is no JSON (${what}): ${error.message}`);
  }
}

/** Fields of the request's body: one for each property of a flat object, else one for all of it. */
function bodyFields(requestBody, document) {
  const content = requestBody?.content ?? {};
  const formSchema = resolve(content[FORM_TYPE]?.schema, document);
  const jsonSchema = resolve(content[JSON_TYPE]?.schema, document);
  const schema = formSchema.properties ? formSchema : jsonSchema;
  if (schema.properties && !schema.properties.nodes) {
    const required = new Set(schema.required ?? []);
    const controls = Object.entries(schema.properties).map(([name, part]) => [
      name,
      control(part, document, required.has(name)),
    ]);
    const fields = controls.map(([name, field]) =>
      labelled(name, field, required.has(name), resolve(schema.properties[name], document).title ?? ""),
    );
    return { fields, read: () => readFields(controls) };
  }
  const other = Object.keys(content).find((type) => type !== JSON_TYPE);
  if (content[JSON_TYPE]) {
    const input = element("textarea", { className: "json", rows: 6, value: "{}" });
    const read = () => ({ type: JSON_TYPE, data: JSON.stringify(readJson(input.value, "the body")) });
    return { fields: [labelled("body", { input }, requestBody.required, JSON_TYPE)], read };
  }
  if (other) {
    const input = element("input", { type: "file", required: requestBody.required });
    const read = () => (other === FORM_TYPE ? asForm([["file", input.files[0]]]) : { type: other, data: input.files[0] });
    return { fields: [labelled("body", { input }, requestBody.required, other)], read };
  }
  return { fields: [], read: () => ({}) };
}

/** JSON if no file was chosen, since only JSON tells a number from a text. */
function readFields(controls) {
  const given = controls.map(([name, field]) => [name, field.read()]).filter(([, value]) => value !== undefined);
  if (given.some(([, value]) => value instanceof File)) return asForm(given);
  return { type: JSON_TYPE, data: JSON.stringify(Object.fromEntries(given)) };
}

function asForm(given) {
  const data = new FormData();
  for (const [name, value] of given) {
    if (value instanceof File) data.append(name, value);
    else data.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return { data };
}

function acceptField(response) {
  const types = Object.keys(response?.content ?? {}).filter((type) => !type.includes("*"));
  if (types.length < 2) return null;
  return { input: element("select", {}, ...types.map((type) => element("option", { value: type }, type))) };
}

async function prepared(method, path, parameters, body, accept) {
  const query = new URLSearchParams();
  const headers = {};
  let url = path;
  for (const { item, control: field } of parameters) {
    const value = field.read();
    if (value === undefined) continue;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (item.in === "path") url = url.replace(`{${item.name}}`, text.split("/").map(encodeURIComponent).join("/"));
    else if (item.in === "query") query.append(item.name, text);
    else if (item.in === "header") headers[item.name] = text;
  }
  const { type, data } = body.read();
  if (type) headers["Content-Type"] = type;
  if (accept) headers.Accept = accept.input.value;
  const address = query.size ? `${url}?${query}` : url;
  return { address, options: { method: method.toUpperCase(), headers, body: data } };
}

async function send({ address, options }, answer) {
  const begun = performance.now();
  answer.replaceChildren(element("p", { className: "dim" }, "waiting …"));
  const response = await fetch(address, options);
  const type = response.headers.get("Content-Type") ?? "";
  const shown = type.startsWith("image/") ? await picture(response) : await text(response, type);
  const seconds = ((performance.now() - begun) / 1000).toFixed(3);
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  answer.replaceChildren(
    element("p", { className: response.ok ? "" : "bad" }, `${response.status} ${response.statusText}, ${seconds} s`),
    shown,
    element("details", {}, element("summary", { className: "dim" }, "headers"), element("pre", {}, headers)),
    element("details", {}, element("summary", { className: "dim" }, "as curl"), element("pre", {}, curl(address, options))),
  );
}

async function picture(response) {
  const source = URL.createObjectURL(await response.blob());
  const image = element("img", { src: source, alt: "the picture that the workflow gave" });
  image.addEventListener("load", () => URL.revokeObjectURL(source));
  return image;
}

async function text(response, type) {
  const body = await response.text();
  if (!type.includes("json")) return element("pre", {}, body.slice(0, 200_000));
  try {
    return element("pre", {}, JSON.stringify(JSON.parse(body), null, 2).slice(0, 200_000));
  } catch {
    return element("pre", {}, body.slice(0, 200_000));
  }
}

function curl(address, options) {
  const quote = (part) => `'${part.replaceAll("'", "'\\''")}'`;
  const parts = ["curl", "-X", options.method, quote(location.origin + address)];
  for (const [name, value] of Object.entries(options.headers)) parts.push("-H", quote(`${name}: ${value}`));
  if (options.body instanceof FormData) {
    for (const [name, value] of options.body) {
      parts.push("-F", quote(`${name}=${value instanceof File ? `@${value.name}` : value}`));
    }
  } else if (options.body instanceof File) {
    parts.push("--data-binary", quote(`@${options.body.name}`));
  } else if (options.body) {
    parts.push("--data-raw", quote(options.body));
  }
  return parts.join(" ");
}

/** What an operation says of its answers. */
export function answers(responses, document) {
  return Object.entries(responses ?? {}).map(([status, given]) => {
    const response = resolve(given, document);
    const types = Object.keys(response.content ?? {}).join(", ");
    return element(
      "tr",
      {},
      element("td", {}, status === "default" ? "else" : status),
      element("td", {}, ...prose(response.description), types ? element("span", { className: "dim" }, types) : ""),
    );
  });
}
