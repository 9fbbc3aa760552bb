/** What a graph shows to the outside: names, and the order of the form. */

import { renameExposed, reorderExposed, unexpose } from "../doc/exposed";
import { ordered } from "../doc/library";
import { useEditor, useTab } from "../editor";
import { graphOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import css from "./Panel.module.css";

export function Exposed({ side }: { side: "inputs" | "outputs" }) {
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
