/** What is selected: its help, its inputs, and what is shown of it to the outside. */

import { useNodeRun } from "../canvas/useNode";
import { runCommand } from "../commands/command";
import {
  expose,
  exposedNames,
  exposedOutputs,
  exposeOutput,
  renameExposed,
  reorderExposed,
  unexpose,
} from "../doc/exposed";
import { faceOf, type InputFace, type OutputFace, ordered } from "../doc/library";
import { flatId } from "../doc/scope";
import { faceTitle } from "../doc/titles";
import { idsOf } from "../doc/types";
import { useEditor, useLibrary, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import { Markdown } from "../ui/Markdown";
import { TextField } from "../ui/TextField";
import { NodeExample } from "./NodeExample";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function InspectorPanel() {
  const ids = useTab((tab) => idsOf(tab.selection, "n").join("\n")) ?? "";
  const [first, ...more] = ids.split("\n").filter(Boolean);
  if (first === undefined) return <AboutWorkflow />;
  return more.length > 0 ? <Several count={more.length + 1} /> : <AboutNode id={first} />;
}

const ALIGNS = ["left", "centre", "right", "top", "middle", "bottom"] as const;

function Several({ count }: { count: number }) {
  const editor = useEditor();
  return (
    <Panel title={`${count} nodes`}>
      <p className={css.muted}>Align their edges:</p>
      <div>
        {ALIGNS.map((edge) => (
          <IconButton
            key={edge}
            icon={`align-${edge}`}
            label={`Align ${edge}`}
            onClick={() => runCommand(editor, `graph.align-${edge}`)}
          />
        ))}
      </div>
    </Panel>
  );
}

function AboutNode({ id }: { id: string }) {
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
      <Markdown text={face.description || "*No description.*"} />
      <h3 className={css.heading}>Inputs</h3>
      {face.inputs.map((port) => (
        <Port
          key={port.name}
          port={port}
          exposed={exposedNames(graph, id, port.name)[0] ?? null}
          toggle={() => toggle(port.name)}
        />
      ))}
      <h3 className={css.heading}>Outputs</h3>
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
}

const LIMITS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
] as const;

function Port({ port, exposed, toggle }: PortProps) {
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

function AboutWorkflow() {
  const { tabs } = useEditor();
  const name = useTab((tab) => workflowOf(tab).name) ?? "";
  const description = useTab((tab) => workflowOf(tab).description) ?? "";
  const inside = useTab((tab) => tab.scope.length > 0) ?? false;
  return (
    <Panel title={inside ? "Group" : "Workflow"}>
      {!inside && (
        <div className={css.form}>
          <TextField
            label="Name"
            labelled
            value={name}
            onChange={(text) => tabs.edit((now) => ({ ...now, name: text }), "name")}
          />
          <TextField
            label="Description"
            labelled
            value={description}
            onChange={(text) => tabs.edit((now) => ({ ...now, description: text }), "description")}
          />
        </div>
      )}
      <h3 className={css.heading}>Exposed inputs, in the order of the form</h3>
      <Exposed side="inputs" />
      <h3 className={css.heading}>Outputs</h3>
      <Exposed side="outputs" />
      <p className={css.muted}>Select a node to expose its inputs.</p>
    </Panel>
  );
}

function Exposed({ side }: { side: "inputs" | "outputs" }) {
  const graph = useTab(graphOf);
  const names = graph ? ordered(graph[side], graph.layout[side]) : [];
  return (
    <ul className={css.list} aria-label={`Exposed ${side}`}>
      {names.map((name, place) => (
        <ExposedRow key={name} side={side} name={name} place={place} names={names} />
      ))}
      {names.length === 0 && <li className={css.muted}>none</li>}
    </ul>
  );
}

const DRAGGED = "application/x-nodeflow-exposed";

interface ExposedProps {
  readonly side: "inputs" | "outputs";
  readonly name: string;
  readonly place: number;
  readonly names: readonly string[];
}

function ExposedRow({ side, name, place, names }: ExposedProps) {
  const { tabs, ui } = useEditor();
  const scope = () => tabs.current()?.scope ?? [];
  const move = (moved: string, to: number) => {
    if (to < 0 || to >= names.length || !names.includes(moved)) return;
    const rest = names.filter((one) => one !== moved);
    const next = [...rest.slice(0, to), moved, ...rest.slice(to)];
    tabs.editGraph((graph) => reorderExposed(graph, side, next));
  };
  /** A name that is refused gives way to the one that holds. */
  const rename = (field: HTMLInputElement) => {
    const wanted = field.value.trim();
    const taken = wanted !== name && names.includes(wanted);
    if (taken) ui.say(`'${wanted}' is taken.`);
    if (!wanted || wanted === name || taken) field.value = name;
    else tabs.edit((now) => renameExposed(now, scope(), side, name, wanted));
  };
  return (
    <li
      className={css.item}
      draggable
      onDragStart={(event) => event.dataTransfer.setData(DRAGGED, name)}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
      }}
      onDrop={(event) => move(event.dataTransfer.getData(DRAGGED), place)}
    >
      <input
        className={css.grow}
        aria-label={`Name of ${name}`}
        defaultValue={name}
        onBlur={(event) => rename(event.target)}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
      <IconButton
        icon="chevron-up"
        label={`Move ${name} up`}
        disabled={place === 0}
        onClick={() => move(name, place - 1)}
      />
      <IconButton
        icon="chevron-down"
        label={`Move ${name} down`}
        disabled={place === names.length - 1}
        onClick={() => move(name, place + 1)}
      />
      <IconButton
        icon="close"
        label={`No longer expose ${name}`}
        onClick={() => tabs.edit((now) => unexpose(now, scope(), side, name))}
      />
    </li>
  );
}
