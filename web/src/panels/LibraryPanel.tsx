/** All nodes, by category; they are dragged onto the canvas, or added by Enter. */

import { useMemo, useState } from "react";
import { DRAGGED_TYPE } from "../canvas/useDrops";
import { searchNodes } from "../doc/search";
import { useEditor, useLibrary, useSettings } from "../editor";
import type { NodeSpec } from "../gen/nodes";
import { IconButton } from "../ui/Button";
import { SearchField } from "../ui/TextField";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function LibraryPanel() {
  const library = useLibrary((state) => state.library);
  const faults = useLibrary((state) => state.faults);
  const favourites = useSettings((state) => state.values.favourites);
  const { ui } = useEditor();
  const [typed, setTyped] = useState("");
  const sections = useMemo(() => {
    if (typed.trim()) return [["Found", searchNodes(library, typed, { limit: 60 })] as const];
    const all = searchNodes(library, "", { limit: Number.POSITIVE_INFINITY });
    const byCategory = grouped(all);
    const loved = favourites.flatMap((id) => library.nodes[id] ?? []);
    const rest = [...byCategory].sort(([a], [b]) => a.localeCompare(b));
    return loved.length > 0 ? ([["Favourites", loved], ...rest] as const) : rest;
  }, [library, typed, favourites]);
  return (
    <Panel
      title="Nodes"
      search={<SearchField label="Search the library" value={typed} onChange={setTyped} />}
    >
      {sections.map(([name, specs]) => (
        <Section key={name} name={name} specs={specs} favourites={favourites} />
      ))}
      {faults.map((fault) => (
        <p key={fault.pack} className={css.bad}>
          Pack {fault.pack}: {fault.sentence}{" "}
          <button
            type="button"
            onClick={() =>
              ui.show({
                kind: "trace",
                node: fault.pack,
                sentence: fault.sentence,
                trace: fault.trace,
              })
            }
          >
            Details
          </button>
        </p>
      ))}
    </Panel>
  );
}

function grouped(specs: readonly NodeSpec[]): Map<string, NodeSpec[]> {
  const found = new Map<string, NodeSpec[]>();
  for (const spec of specs) {
    const name = spec.category || "other";
    found.set(name, [...(found.get(name) ?? []), spec]);
  }
  return found;
}

interface SectionProps {
  readonly name: string;
  readonly specs: readonly NodeSpec[];
  readonly favourites: readonly string[];
}

function Section({ name, specs, favourites }: SectionProps) {
  return (
    <details open>
      <summary className={css.heading}>{name}</summary>
      <ul className={css.list} aria-label={name}>
        {specs.map((spec) => (
          <Entry key={spec.id} spec={spec} favourite={favourites.includes(spec.id)} />
        ))}
      </ul>
    </details>
  );
}

function Entry({ spec, favourite }: { spec: NodeSpec; favourite: boolean }) {
  const { actions, canvas, settings } = useEditor();
  const add = () => {
    const [x, y] = canvas.pointer();
    actions.nodes.add(spec.id, [x - 130, y - 60]);
  };
  const toggle = () => {
    const now = settings.getState().values.favourites;
    const next = favourite ? now.filter((id) => id !== spec.id) : [...now, spec.id];
    settings.set({ favourites: next });
  };
  return (
    <li className={css.item}>
      <button
        type="button"
        className={`${css.plain} ${css.grow}`}
        title={spec.description.split("\n")[0]}
        draggable
        onDragStart={(event) => event.dataTransfer.setData(DRAGGED_TYPE, spec.id)}
        onDoubleClick={add}
        onKeyDown={(event) => {
          if (event.key === "Enter") add();
        }}
      >
        {spec.title}
      </button>
      <IconButton
        icon={favourite ? "star-filled" : "star"}
        label={favourite ? `${spec.title} is a favourite` : `Make ${spec.title} a favourite`}
        pressed={favourite}
        onClick={toggle}
      />
    </li>
  );
}
