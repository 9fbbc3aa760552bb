/** The workflow as a form: its exposed inputs, Run, and what came out. */

import { useProgress } from "../app/TabStrip";
import { useFieldContext } from "../canvas/useFieldContext";
import { runCommand } from "../commands/command";
import { setInput } from "../doc/edits";
import { placesOf, readInput } from "../doc/inputs";
import { faceOf, humanize, inputOf, ordered } from "../doc/library";
import type { Json, Workflow } from "../doc/types";
import { useEditor, useLibrary, useRuns, useTab } from "../editor";
import { workflowOf } from "../store/tabs";
import { EmptyState } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Markdown } from "../ui/Markdown";
import { Field } from "../widgets/Field";
import { FormProgress, FormResults } from "./FormResults";
import css from "./FormView.module.css";

export function FormView() {
  const editor = useEditor();
  const workflow = useTab(workflowOf);
  const job = useTab((tab) => tab.job);
  const status = useRuns((state) => (job ? state.jobs[job]?.status : undefined));
  const progress = useProgress(job);
  if (!workflow) return null;
  const names = ordered(workflow.inputs, workflow.layout.inputs);
  const active = status === "running" || status === "queued";
  return (
    <div className={css.room}>
      <div className={css.page}>
        <form
          className={css.form}
          aria-label={workflow.name || "Workflow"}
          onSubmit={(event) => {
            event.preventDefault();
            runCommand(editor, "run.start");
          }}
        >
          <h1>{workflow.name || "Untitled"}</h1>
          {workflow.description && <p className={css.about}>{workflow.description}</p>}
          {names.length === 0 && (
            <EmptyState icon="form" title="This workflow has no form yet">
              Select a node in the graph and tick inputs in the inspector to show them here.
            </EmptyState>
          )}
          {names.map((name) => (
            <FormField key={name} name={name} />
          ))}
          <div className={css.actions}>
            <Button look="primary" icon="play" type="submit">
              Run
            </Button>
            <Button
              icon="stop"
              type="button"
              disabled={!active}
              onClick={() => runCommand(editor, "run.cancel")}
            >
              Cancel
            </Button>
            <span className={css.about} role="status">
              {status ?? ""}
            </span>
          </div>
          {progress !== null && <FormProgress progress={progress} />}
        </form>
        <FormResults />
      </div>
    </div>
  );
}

/** One exposed input; what is written goes to every place that it feeds, as one step of undo. */
function FormField({ name }: { name: string }) {
  const { tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const workflow = useTab(workflowOf);
  const problems = useTab((tab) => tab.problems) ?? [];
  const locked = useTab((tab) => tab.locked) ?? false;
  const places = workflow ? placesOf(workflow.inputs[name] ?? []) : [];
  const [place] = places;
  const entry = place && workflow?.nodes[place.node];
  const face =
    place && entry && workflow ? faceOf(place.node, entry, workflow, workflow, library) : null;
  const port = place && face ? inputOf(face, place.input) : null;
  if (!place || !entry || !port) return null;
  const source = readInput(entry.inputs?.[place.input] ?? null);
  const given = entry.inputs?.[place.input] !== undefined;
  const value: Json = given && source.kind === "value" ? source.value : port.default;
  const change = (next: Json, done = true) => {
    tabs.edit((now) => {
      let graph: Workflow = now;
      for (const one of places) {
        const { nodes } = setInput(graph, one.node, one.input, next);
        graph = { ...graph, nodes };
      }
      return graph;
    }, `form ${name}`);
    if (done) tabs.seal();
  };
  const problem = problems.find((one) => one.node === place.node && one.input === place.input);
  return (
    <Shown {...{ name, place, port, value, change, locked, problem: problem?.sentence ?? null }} />
  );
}

interface ShownProps {
  readonly name: string;
  readonly place: { readonly node: string; readonly input: string };
  readonly port: NonNullable<ReturnType<typeof inputOf>>;
  readonly value: Json;
  readonly change: (value: Json, done?: boolean) => void;
  readonly locked: boolean;
  readonly problem: string | null;
}

function Shown({ name, place, port, value, change, locked, problem }: ShownProps) {
  const { context } = useFieldContext(place.node, port);
  const id = `form-${name}`;
  return (
    <div className={css.field}>
      <label htmlFor={id}>{humanize(name)}</label>
      <Field
        port={port}
        value={value}
        onChange={change}
        id={id}
        label={humanize(name)}
        disabled={locked}
        problem={problem}
        place="form"
        context={context}
      />
      {port.description && <Markdown text={port.description} className={css.about} />}
    </div>
  );
}
