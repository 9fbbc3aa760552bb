/** One input of a node: its socket, its name, and the field of its value if it may have one. */

import { memo } from "react";
import { fieldKind } from "../doc/fields";
import type { InputRow } from "../doc/geometry";
import { readInput } from "../doc/inputs";
import { sourceOf } from "../doc/sockets";
import { titleOf } from "../doc/titles";
import type { Json } from "../doc/types";
import { useLibrary, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { Field } from "../widgets/Field";
import css from "./FieldRow.module.css";
import { inputHandle } from "./ports";
import { Socket } from "./Socket";
import { useFieldContext } from "./useFieldContext";
import type { NodeView } from "./useNode";

interface FieldRowProps {
  readonly node: string;
  readonly view: NodeView;
  readonly row: InputRow;
  readonly locked: boolean;
  readonly problem: string | null;
}

export const FieldRow = memo(function FieldRow({
  node,
  view,
  row,
  locked,
  problem,
}: FieldRowProps) {
  const { port, index, linked } = row;
  const kind = fieldKind(port);
  const exposed = useExposed(node, port.name);
  const source = useSource(node, port.name, index);
  const label = index === null ? port.name : `${port.name} ${index + 1}`;
  const collapsed = view.shape.collapsed;
  return (
    <>
      <Socket
        id={inputHandle(port.name, index)}
        name={label}
        type={port.type}
        side="input"
        top={row.socket}
        linked={linked}
        problem={problem}
        source={source}
      />
      {!collapsed && (
        <div
          className={css.row}
          data-row
          data-kind={kind}
          data-linked={linked || undefined}
          data-invalid={problem ? true : undefined}
          style={{ top: row.top, height: row.height }}
        >
          <label className={css.label} htmlFor={`${node}/${port.name}`} title={port.description}>
            {label}
            {port.required && !linked && kind === "none" && (
              <span className={css.required} title="required">
                {" "}
                *
              </span>
            )}
            {exposed !== null && (
              <span className={css.exposed} title={`Exposed as ${exposed}`}>
                ⇥<span className={css.hidden}>exposed as {exposed}</span>
              </span>
            )}
          </label>
          {kind !== "none" && <RowField {...{ node, view, row, locked, problem, source }} />}
          {kind === "none" && index === null && source !== null && (
            <span className={css.from}>{source}</span>
          )}
        </div>
      )}
    </>
  );
});

interface RowFieldProps extends FieldRowProps {
  readonly source: string | null;
}

function RowField({ node, view, row, locked, problem, source }: RowFieldProps) {
  const { port, linked } = row;
  const raw = view.entry.inputs?.[port.name];
  const { context, change } = useFieldContext(node, port);
  const value: Json = valueShown(raw, linked, view, port.name, port.default);
  return (
    <div className={css.field}>
      <Field
        port={port}
        value={value}
        onChange={change}
        id={`${node}/${port.name}`}
        label={port.name}
        disabled={linked || locked}
        source={source}
        problem={problem}
        place="node"
        context={context}
      />
    </div>
  );
}

/** A wire stands in for the literal, which is shown as it will be when the wire is pulled. */
function valueShown(
  raw: Json | undefined,
  linked: boolean,
  view: NodeView,
  input: string,
  fallback: Json,
): Json {
  if (linked) return view.layout?.kept?.[input] ?? fallback;
  const source = raw === undefined ? null : readInput(raw);
  return source?.kind === "value" ? source.value : fallback;
}

/** What the node is called from which a wire comes. */
function useSource(node: string, name: string, index: number | null): string | null {
  const library = useLibrary((state) => state.library);
  return useTab((tab) => {
    const graph = graphOf(tab);
    const link = sourceOf(graph, { node, side: "input", name, index });
    return link && titleOf(link.node, graph, workflowOf(tab), library);
  });
}

/** The name under which an input is shown to the outside. */
function useExposed(node: string, input: string): string | null {
  return useTab((tab) => {
    for (const [name, places] of Object.entries(graphOf(tab).inputs)) {
      for (const place of [places].flat()) {
        if (place.node === node && place.input === input) return name;
      }
    }
    return null;
  });
}
