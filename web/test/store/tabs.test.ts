import { expect, test } from "vitest";
import { setInput } from "../../src/doc/edits";
import { parseWorkflow } from "../../src/doc/parse";
import { makeTabs, workflowOf } from "../../src/store/tabs";

const one = () =>
  parseWorkflow({
    nodeflow: 1,
    nodes: { load: { type: "image.load", inputs: { file: "a.png" } } },
  });

test("what ends later edits the workflow that it began in, whatever is in view by then", () => {
  const tabs = makeTabs(() => {});
  const first = tabs.open({ workflow: one() });
  const edit = tabs.here();
  const second = tabs.open({ workflow: one() });
  edit((graph) => setInput(graph, "load", "file", "b.png"));
  const file = (id: string) => {
    const tab = tabs.find(id);
    return tab && workflowOf(tab).nodes.load?.inputs?.file;
  };
  expect(file(first)).toBe("b.png");
  expect(file(second)).toBe("a.png");
});

test("what ends after its workflow was closed changes nothing", () => {
  const tabs = makeTabs(() => {});
  const first = tabs.open({ workflow: one() });
  const edit = tabs.here();
  tabs.close(first);
  const second = tabs.open({ workflow: one() });
  edit((graph) => setInput(graph, "load", "file", "b.png"));
  const tab = tabs.find(second);
  expect(tab && workflowOf(tab).nodes.load?.inputs?.file).toBe("a.png");
});
