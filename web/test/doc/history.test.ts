import { expect, test } from "vitest";
import { begin, commit, redo, seal, undo } from "../../src/doc/history";
import { flow } from "./toys";

const named = (name: string) => flow({ name });

test("a burst of one tag is one step, until it is sealed or time has passed", () => {
  let history = begin(named("0"));
  history = commit(history, named("1"), "move", 1000);
  history = commit(history, named("2"), "move", 1500);
  expect(history.past).toHaveLength(1);
  history = commit(seal(history), named("3"), "move", 1600);
  history = commit(history, named("4"), "move", 9000);
  expect(history.past.map((one) => one.name)).toEqual(["0", "2", "3"]);
});

test("undo and redo walk the same steps, and an edit forgets what was undone", () => {
  let history = begin(named("0"));
  for (const name of ["1", "2", "3"]) history = commit(history, named(name), "", 0);
  history = undo(undo(history));
  expect(history.now.name).toBe("1");
  expect(redo(history).now.name).toBe("2");
  history = commit(history, named("4"), "", 0);
  expect(redo(history)).toBe(history);
  expect(undo(history).now.name).toBe("1");
});

test("an edit after an undo never joins the step that was undone", () => {
  let history = commit(begin(named("0")), named("1"), "type", 100);
  history = commit(undo(history), named("2"), "type", 200);
  expect(undo(history).now.name).toBe("0");
});

test("two hundred steps are kept, and what changes nothing is none", () => {
  let history = begin(named("start"));
  expect(commit(history, history.now, "", 0)).toBe(history);
  expect(undo(history)).toBe(history);
  for (let step = 0; step < 300; step += 1) history = commit(history, named(`${step}`), "", step);
  expect(history.past).toHaveLength(200);
  expect(history.past[0]?.name).toBe("99");
});
