/** The search that adds nodes: by double click, or where a wire was let go. */

import {
  type CSSProperties,
  type KeyboardEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { wouldRecurse } from "../doc/calls";
import { fittingNodes } from "../doc/insert";
import { groupAt } from "../doc/scope";
import { searchAmong } from "../doc/search";
import { GROUP_PREFIX } from "../doc/types";
import { useEditor, useLibrary, useTab, useUi } from "../editor";
import { workflowOf } from "../store/tabs";
import type { UiState } from "../store/ui";
import css from "./NodeSearch.module.css";

const WIDTH = 320;
const HEIGHT = 360;

export function NodeSearch() {
  const search = useUi((state) => state.search);
  return search && <SearchBox key={search.screen.join()} search={search} />;
}

interface Choice {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly was: readonly string[];
}

function useChoices(search: NonNullable<UiState["search"]>): readonly Choice[] {
  const library = useLibrary((state) => state.library);
  const workflow = useTab(workflowOf);
  const scope = useTab((tab) => tab.scope);
  return useMemo(() => {
    const all: Choice[] = Object.values(library.nodes).filter((spec) => spec.deprecated === "");
    if (search.loose) {
      const { type, from } = search.loose;
      const fits = fittingNodes(library, { type, direction: from ? "from" : "to" });
      const ids = new Set(fits.map((fit) => fit.spec.id));
      return all.filter((node) => ids.has(node.id));
    }
    const within = workflow && scope ? (groupAt(workflow, scope) ?? null) : null;
    const groups = Object.keys(workflow?.groups ?? {})
      .filter((name) => workflow && !wouldRecurse(workflow, name, within))
      .map((name): Choice => {
        const category = "group of this workflow";
        return { id: `${GROUP_PREFIX}${name}`, title: name, category, description: "", was: [] };
      });
    return [...groups, ...all];
  }, [library, workflow, scope, search.loose]);
}

function SearchBox({ search }: { search: NonNullable<UiState["search"]> }) {
  const { ui, actions } = useEditor();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const choices = useChoices(search);
  const found = useMemo(() => searchAmong(choices, typed, 40), [choices, typed]);
  const close = () => ui.setState({ search: null });
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) ui.setState({ search: null });
    };
    window.addEventListener("pointerdown", outside, true);
    return () => window.removeEventListener("pointerdown", outside, true);
  }, [ui]);
  const choose = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    const id = actions.nodes.add(choice.id, search.at, search.loose);
    if (id !== null) ui.say(`Added ${choice.title}.`);
  };
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((now) => Math.min(found.length - 1, Math.max(0, now + step)));
    } else if (event.key === "Enter") choose(found[at]);
    else if (event.key === "Escape") close();
  };
  const left = Math.max(8, Math.min(search.screen[0], window.innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(search.screen[1], window.innerHeight - HEIGHT - 8));
  return (
    <div ref={box} className={css.box} style={{ left, top, width: WIDTH, maxHeight: HEIGHT }}>
      <input
        className={css.input}
        role="combobox"
        aria-label="Search nodes"
        aria-expanded="true"
        aria-controls="node-search-list"
        aria-activedescendant={found[at] && `node-search-${at}`}
        placeholder={search.loose ? `Nodes for ${search.loose.type}` : "Add a node"}
        ref={(input) => input?.focus()}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={keys}
      />
      <div id="node-search-list" role="listbox" aria-label="Nodes" className={css.list}>
        {found.map((choice, index) => (
          <Row
            key={choice.id}
            choice={choice}
            index={index}
            active={index === at}
            choose={choose}
          />
        ))}
        {found.length === 0 && <p className={css.none}>No node is called like that.</p>}
      </div>
    </div>
  );
}

interface RowProps {
  readonly choice: Choice;
  readonly index: number;
  readonly active: boolean;
  readonly choose: (choice: Choice) => void;
}

function Row({ choice, index, active, choose }: RowProps) {
  const output = useLibrary((state) => {
    const spec = state.library.nodes[choice.id];
    const type = spec?.outputs[0]?.type ?? spec?.inputs[0]?.type ?? "";
    return state.library.sockets[type]?.colour ?? "var(--line-strong)";
  });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the combobox has the focus
    <div
      id={`node-search-${index}`}
      role="option"
      aria-selected={active}
      className={css.row}
      ref={(row) => {
        if (active) row?.scrollIntoView({ block: "nearest" });
      }}
      onClick={() => choose(choice)}
    >
      <span className={css.dot} style={{ "--tint": output } as CSSProperties} />
      <span className={css.title}>{choice.title}</span>
      <span className={css.category}>{choice.category}</span>
    </div>
  );
}
