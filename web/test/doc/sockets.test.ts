import { describe, expect, it } from "vitest";
import { freePlace } from "../../src/doc/free_place";
import { geometry } from "../../src/doc/geometry";
import { faceOf, makeLibrary } from "../../src/doc/library";
import { candidates, socketsOf, sourceOf, waitingSocket } from "../../src/doc/sockets";
import { EMPTY_WORKFLOW, type NodeEntry, type Point, type Workflow } from "../../src/doc/types";
import { out, port, spec } from "./toys";

const LIBRARY = makeLibrary(
  Object.fromEntries(
    [
      spec("toys.number", [], [out("int", "int")]),
      spec(
        "toys.add",
        [port("a", "int", { required: true }), port("b", "int")],
        [out("int", "int")],
      ),
      spec("toys.show", [port("value", "any")], []),
      spec("toys.join", [port("parts", "int", { grows: true })], [out("all", "str")]),
    ].map((one) => [one.id, one]),
  ),
  {},
);

type Placed = readonly [NodeEntry, Point];

const graph = (nodes: Record<string, Placed>): Workflow => ({
  ...EMPTY_WORKFLOW,
  nodes: Object.fromEntries(Object.entries(nodes).map(([id, [entry]]) => [id, entry])),
  layout: { nodes: Object.fromEntries(Object.entries(nodes).map(([id, [, at]]) => [id, { at }])) },
});

const named = (workflow: Workflow, start: Parameters<typeof candidates>[0]) =>
  candidates(start, workflow, workflow, LIBRARY).map(
    ({ socket, refusal, replaces }) =>
      `${socket.node}.${socket.name}${replaces ? ` (${replaces})` : ""}${refusal ? `: ${refusal}` : ""}`,
  );

describe("candidates", () => {
  it("come nearest first; then what takes anything, what is taken, and what refuses", () => {
    const workflow = graph({
      start: [{ type: "toys.number" }, [0, 0]],
      other: [{ type: "toys.number" }, [0, 300]],
      far: [{ type: "toys.add" }, [2000, 0]],
      near: [{ type: "toys.add", inputs: { b: { node: "other" } } }, [400, 0]],
      show: [{ type: "toys.show" }, [300, 0]],
    });
    const from = { node: "start", side: "output", name: "int", index: null } as const;
    expect(named(workflow, from)).toEqual([
      "near.a",
      "far.a",
      "far.b",
      "show.value",
      "near.b (number)",
    ]);
  });

  it("leave out the wire that is there and say why another may not be", () => {
    const workflow = graph({
      first: [{ type: "toys.add" }, [0, 0]],
      second: [{ type: "toys.add", inputs: { a: { node: "first" } } }, [400, 0]],
      text: [{ type: "toys.join" }, [0, 400]],
    });
    const to = { node: "first", side: "input", name: "a", index: null } as const;
    expect(named(workflow, to)).toEqual([
      "text.all: str does not fit int.",
      "second.int: That would make a loop.",
    ]);
    const linked = { node: "second", side: "input", name: "a", index: null } as const;
    expect(named(workflow, linked)).toEqual(["text.all: str does not fit int."]);
  });
});

it("sockets of a growing input are as many as its links and one more", () => {
  const parts = [{ node: "one" }, { node: "two" }];
  const workflow = graph({
    one: [{ type: "toys.number" }, [0, 0]],
    two: [{ type: "toys.number" }, [0, 0]],
    join: [{ type: "toys.join", inputs: { parts } }, [0, 0]],
  });
  const sockets = socketsOf("join", workflow, workflow, LIBRARY);
  expect(sockets.map(({ side, index }) => `${side} ${index}`)).toEqual([
    "output null",
    "input 0",
    "input 1",
    "input 2",
  ]);
  expect(sockets.map((socket) => sourceOf(workflow, socket)?.node)).toEqual([
    undefined,
    "one",
    "two",
    undefined,
  ]);
});

it("a node waits at what it requires, else it is its first socket", () => {
  const bare = graph({ add: [{ type: "toys.add" }, [0, 0]] });
  expect(waitingSocket("add", bare, bare, LIBRARY)?.name).toBe("a");
  const given = graph({ add: [{ type: "toys.add", inputs: { a: 1 } }, [0, 0]] });
  expect(waitingSocket("add", given, given, LIBRARY)?.name).toBe("int");
  expect(waitingSocket("gone", given, given, LIBRARY)).toBeNull();
});

it("a free place lies near and on no other node", () => {
  let workflow = graph({});
  for (let index = 0; index < 12; index += 1) {
    const entry: NodeEntry = { type: "toys.add" };
    const { width, height } = geometry(
      entry,
      faceOf("x", entry, workflow, workflow, LIBRARY),
      undefined,
    );
    const [x, y] = freePlace(workflow, workflow, LIBRARY, [0, 0], [width, height]);
    for (const { at } of Object.values(workflow.layout.nodes ?? {})) {
      expect(Math.abs(at[0] - x) >= width || Math.abs(at[1] - y) >= height).toBe(true);
    }
    expect(Math.hypot(x, y)).toBeLessThan(1200);
    workflow = {
      ...workflow,
      nodes: { ...workflow.nodes, [`n${index}`]: entry },
      layout: { nodes: { ...workflow.layout.nodes, [`n${index}`]: { at: [x, y] } } },
    };
  }
  expect(freePlace(graph({}), workflow, LIBRARY, [7, 9], [10, 10])).toEqual([7, 9]);
});
