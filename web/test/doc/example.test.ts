import { expect, test } from "vitest";
import { exampleOf } from "../../src/doc/example";
import { faceOf } from "../../src/doc/library";
import { flow, LIBRARY, node } from "./toys";

function inputsOf(type: string): unknown {
  const workflow = flow({ nodes: { one: node(type) } });
  const entry = workflow.nodes.one ?? { type: "" };
  const face = faceOf("one", entry, workflow, workflow, LIBRARY);
  const example = exampleOf("one", entry.type, face, LIBRARY);
  expect(example).toMatchObject({ nodes: { one: { type: `toy.${type}` } } });
  return (example.nodes as Record<string, { inputs?: unknown }>).one?.inputs;
}

test("an example has the defaults, and a value of the right kind where there is none", () => {
  expect(inputsOf("add")).toEqual({ a: 0, b: 0 });
  expect(inputsOf("words")).toEqual({ text: "" });
});

test("an example has links from nodes that give what is needed", () => {
  expect(inputsOf("sample")).toEqual({ model: { node: "model" }, seed: 0 });
  expect(inputsOf("join")).toEqual({ parts: [{ node: "number" }] });
});

test("an example leaves out wires that are not needed, and has no inputs if there are none", () => {
  expect(inputsOf("split")).toEqual({});
  expect(inputsOf("model")).toBeUndefined();
});
