/** A node that is selected: its help, its inputs and outputs, and what it printed. */

import { useNodeRun } from "../canvas/useNode";
import { bypassSaid } from "../doc/bypass";
import { clearInput } from "../doc/edits";
import { expose, exposedNames, exposedOutputs, exposeOutput, unexpose } from "../doc/exposed";
import { hasOwnValue } from "../doc/inputs";
import { faceOf, type InputFace, type OutputFace } from "../doc/library";
import { flatId } from "../doc/scope";
import { faceTitle } from "../doc/titles";
import { useEditor, useLibrary, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import { Markdown } from "../ui/Markdown";
import { ColourLine } from "./ColourLine";
import { NodeExample } from "./NodeExample";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function AboutNode({ id }: { id: string }) {
  const { tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const entry = useTab((tab) => graphOf(tab).nodes[id]);
  const layout = useTab((tab) => graphOf(tab).layout.nodes?.[id]);
  const graph = useTab(graphOf);
  const workflow = useTab(workflowOf);
  const flat = useTab((tab) => flatId(tab.scope, id)) ?? id;
  const problems = useTab((tab) => tab.problems) ?? [];
  const run = useNodeRun(id);
  if (!entry || !graph || !workflow) return null;
  const face = faceOf(id, entry, graph, workflow, library);
  const toggle = (input: string) => {
    const [name] = exposedNames(graph, id, input);
    if (name === undefined) tabs.editGraph((now) => expose(now, id, input));
    else tabs.edit((now) => unexpose(now, tabs.current()?.scope ?? [], "inputs", name));
  };
  const toggleOutput = (output: string) => {
    const [name] = exposedOutputs(graph, id, output);
    if (name === undefined) tabs.editGraph((now) => exposeOutput(now, id, output));
    else tabs.edit((now) => unexpose(now, tabs.current()?.scope ?? [], "outputs", name));
  };
  return (
    <Panel title={faceTitle(face, layout ?? undefined)}>
      <p className={css.muted}>
        {entry.type} · {id}
      </p>
      {problems
        .filter((one) => one.node === flat)
        .map((one) => (
          <p key={one.sentence} className={css.bad}>
            {one.sentence} {one.way_out}
          </p>
        ))}
      {run?.why && <p className={css.muted}>Last run: {run.why}</p>}
      <ColourLine items={[`n:${id}`]} />
      <Markdown text={face.description || "*No description.*"} />
      <h3 className={css.heading}>Inputs</h3>
      {face.inputs.map((port) => (
        <Port
          key={port.name}
          port={port}
          exposed={exposedNames(graph, id, port.name)[0] ?? null}
          toggle={() => toggle(port.name)}
          clear={
            hasOwnValue(entry, port)
              ? () => tabs.editGraph((now) => clearInput(now, id, port.name))
              : null
          }
        />
      ))}
      <h3 className={css.heading}>Outputs</h3>
      {entry.mode === "bypass" &&
        bypassSaid(id, graph, workflow, library).map((line) => (
          <p key={line} className={css.muted}>
            Bypassed: {line}
          </p>
        ))}
      {face.outputs.map((port) => (
        <Output
          key={port.name}
          port={port}
          exposed={exposedOutputs(graph, id, port.name)[0] ?? null}
          toggle={() => toggleOutput(port.name)}
        />
      ))}
      <NodeExample id={id} type={entry.type} face={face} />
      <Logs lines={run?.logs ?? []} />
    </Panel>
  );
}

/** What the node printed in its last run. */
function Logs({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <>
      <h3 className={css.heading}>Printed</h3>
      <ol className={css.list} aria-label="Printed">
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines may be equal, and only come at the end
          <li key={index} className={css.muted}>
            {line}
          </li>
        ))}
      </ol>
    </>
  );
}

interface PortProps {
  readonly port: InputFace;
  readonly exposed: string | null;
  readonly toggle: () => void;
  /** Lets it have its default again; null where it has it, or has none. */
  readonly clear: (() => void) | null;
}

const LIMITS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
] as const;

function Port({ port, exposed, toggle, clear }: PortProps) {
  const limits = LIMITS.flatMap((key) =>
    port.schema && key in port.schema ? [`${key} ${port.schema[key]}`] : [],
  );
  const fallback = port.required ? "required" : `default ${JSON.stringify(port.default)}`;
  return (
    <div className={css.port}>
      <label className={css.item}>
        <span className={css.grow}>
          <span className={css.name}>{port.name}</span>{" "}
          <span className={css.muted}>{port.type}</span>
        </span>
        {clear && (
          <IconButton
            icon="undo"
            small
            label={`Let ${port.name} have its default`}
            onClick={clear}
          />
        )}
        <input
          type="checkbox"
          checked={exposed !== null}
          onChange={toggle}
          aria-label={`Expose ${port.name}`}
          title="Show it in the form, on the command line, and on calls of the group"
        />
      </label>
      <div className={css.muted}>
        {[fallback, ...limits].join(", ")}
        {exposed !== null && ` · exposed as ${exposed}`}
      </div>
      {port.description && <div className={css.muted}>{port.description}</div>}
    </div>
  );
}

interface OutputProps {
  readonly port: OutputFace;
  readonly exposed: string | null;
  readonly toggle: () => void;
}

function Output({ port, exposed, toggle }: OutputProps) {
  return (
    <div className={css.port}>
      <label className={css.item}>
        <span className={css.grow}>
          <span className={css.name}>{port.name}</span>{" "}
          <span className={css.muted}>{port.type}</span>
        </span>
        <input
          type="checkbox"
          checked={exposed !== null}
          onChange={toggle}
          aria-label={`Expose the output ${port.name}`}
          title="Compute it in every run, show it in the form, and on calls of the group"
        />
      </label>
      {exposed !== null && <div className={css.muted}>exposed as {exposed}</div>}
      {port.description && <div className={css.muted}>{port.description}</div>}
    </div>
  );
}
