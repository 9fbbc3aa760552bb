/** A node that is selected: its help, its inputs and outputs, and what it printed. */

import type { ReactNode } from "react";
import { useNodeRun } from "../canvas/useNode";
import { bypassSaid } from "../doc/bypass";
import { clearInput } from "../doc/edits";
import {
  expose,
  exposedNames,
  exposedOutputs,
  exposeOutput,
  type Side,
  unexpose,
} from "../doc/exposed";
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
  const hide = (side: Side, name: string) =>
    tabs.edit((now) => unexpose(now, tabs.current()?.scope ?? [], side, name));
  return (
    <Panel title={faceTitle(face, layout ?? undefined)}>
      <p className={`${css.muted} ${css.said}`}>
        {entry.type} · {id}
      </p>
      {problems
        .filter((one) => one.node === flat)
        .map((one) => (
          <p key={one.sentence} className={`${css.bad} ${css.said}`}>
            {one.sentence} {one.way_out}
          </p>
        ))}
      {run?.why && <p className={`${css.muted} ${css.said}`}>Last run: {run.why}</p>}
      <ColourLine items={[`n:${id}`]} />
      <Markdown text={face.description || "*No description.*"} className={css.said} />
      <h3 className={css.heading}>Inputs</h3>
      {face.inputs.map((port) => (
        <Input
          key={port.name}
          port={port}
          exposed={exposedNames(graph, id, port.name)[0] ?? null}
          onExpose={() => tabs.editGraph((now) => expose(now, id, port.name))}
          onHide={(name) => hide("inputs", name)}
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
          <p key={line} className={`${css.muted} ${css.said}`}>
            Bypassed: {line}
          </p>
        ))}
      {face.outputs.map((port) => (
        <Output
          key={port.name}
          port={port}
          exposed={exposedOutputs(graph, id, port.name)[0] ?? null}
          onExpose={() => tabs.editGraph((now) => exposeOutput(now, id, port.name))}
          onHide={(name) => hide("outputs", name)}
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

const LIMITS = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
] as const;

interface ExposedProps {
  /** The name under which it is shown to the outside; null if it is not. */
  readonly exposed: string | null;
  readonly onExpose: () => void;
  readonly onHide: (name: string) => void;
}

interface InputProps extends ExposedProps {
  readonly port: InputFace;
  /** Lets it have its default again; null where it has it, or has none. */
  readonly clear: (() => void) | null;
}

function Input({ port, clear, ...shown }: InputProps) {
  const limits = LIMITS.flatMap((key) =>
    port.schema && key in port.schema ? [`${key} ${port.schema[key]}`] : [],
  );
  const fallback = port.required ? "required" : `default ${JSON.stringify(port.default)}`;
  return (
    <Port
      {...shown}
      port={port}
      label={`Expose ${port.name}`}
      title="Show it in the form, on the command line, and on calls of the group"
      facts={[fallback, ...limits].join(", ")}
    >
      {clear && (
        <IconButton icon="undo" small label={`Let ${port.name} have its default`} onClick={clear} />
      )}
    </Port>
  );
}

function Output({ port, ...shown }: ExposedProps & { readonly port: OutputFace }) {
  return (
    <Port
      {...shown}
      port={port}
      label={`Expose the output ${port.name}`}
      title="Compute it in every run, show it in the form, and on calls of the group"
      facts=""
    />
  );
}

interface PortProps extends ExposedProps {
  readonly port: InputFace | OutputFace;
  readonly label: string;
  readonly title: string;
  /** What else there is to know of it, in a few words. */
  readonly facts: string;
  readonly children?: ReactNode;
}

/** An input or an output: its name, whether it is shown to the outside, and what it is for. */
function Port({ port, label, title, facts, exposed, onExpose, onHide, children }: PortProps) {
  const said = [facts, exposed !== null && `exposed as ${exposed}`].filter(Boolean).join(" · ");
  return (
    <div className={css.port}>
      <label className={css.item}>
        <span className={css.grow}>
          <span className={css.name}>{port.name}</span>{" "}
          <span className={css.muted}>{port.type}</span>
        </span>
        {children}
        <input
          type="checkbox"
          checked={exposed !== null}
          onChange={() => (exposed === null ? onExpose() : onHide(exposed))}
          aria-label={label}
          title={title}
        />
      </label>
      {said && <div className={`${css.muted} ${css.said}`}>{said}</div>}
      {port.description && (
        <Markdown text={port.description} className={`${css.muted} ${css.said}`} />
      )}
    </div>
  );
}
