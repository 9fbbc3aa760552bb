/** What a workflow needs and this server does not have: nodes and files, with what may be meant. */

import { setInput } from "../doc/edits";
import { readInput } from "../doc/inputs";
import { faceOf, inputOf } from "../doc/library";
import { useEditor, useLibrary } from "../editor";
import type { Problem } from "../server/api";
import { workflowOf } from "../store/tabs";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { nearNames } from "../widgets/near";
import css from "./Panel.module.css";

export function MissingDialog({ tab: id }: { tab: string }) {
  const { ui, tabs } = useEditor();
  const tab = tabs.find(id);
  const problems = (tab?.problems ?? []).filter(
    (one) => one.code === "unknown_type" || one.code === "missing_file",
  );
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title="Some things are missing"
      description="Nodes that no pack provides are kept as they are; saving loses nothing."
      actions={<Button onClick={() => ui.show(null)}>Close</Button>}
    >
      <ul className={css.list} aria-label="Missing">
        {problems.map((problem) => (
          <Missing key={`${problem.node} ${problem.input} ${problem.code}`} problem={problem} />
        ))}
      </ul>
    </Dialog>
  );
}

/** The kind of file that an input of a node of the workflow itself names, and what it says now. */
function useFile(problem: Problem): { root: string; value: string } | null {
  const { tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const tab = tabs.current();
  const node = problem.node ?? "";
  if (!tab || problem.code !== "missing_file" || !problem.input) return null;
  const workflow = workflowOf(tab);
  const entry = workflow.nodes[node];
  if (!entry) return null;
  const port = inputOf(faceOf(node, entry, workflow, workflow, library), problem.input);
  const source = readInput(entry.inputs?.[problem.input] ?? null);
  const value = source.kind === "value" ? String(source.value) : "";
  return port?.file ? { root: port.file.root, value } : null;
}

function Missing({ problem }: { problem: Problem }) {
  const { ui, tabs, actions } = useEditor();
  const file = useFile(problem);
  const files = useLibrary((state) => (file ? state.files[file.root] : undefined)) ?? [];
  const folder = useLibrary((state) => (file ? state.folders[file.root] : undefined));
  const near = file
    ? nearNames(
        file.value,
        files.map((one) => one.name),
      )
    : [];
  const { node, input } = problem;
  const take = (name: string) => {
    if (!node || !input) return;
    tabs.leave(0);
    tabs.editGraph((graph) => setInput(graph, node, input, name));
    ui.say(`${input} of ${node} is ${name} now.`);
  };
  return (
    <li className={css.port}>
      <div>{problem.sentence}</div>
      {problem.way_out && <div className={css.muted}>{problem.way_out}</div>}
      {folder && <div className={css.muted}>Such files go into {folder}.</div>}
      {near.map((name) => (
        <Button key={name} onClick={() => take(name)}>
          Use {name}
        </Button>
      ))}
      {node && (
        <Button
          look="quiet"
          onClick={() => {
            ui.show(null);
            actions.nodes.look(node);
          }}
        >
          Look at {node}
        </Button>
      )}
    </li>
  );
}
