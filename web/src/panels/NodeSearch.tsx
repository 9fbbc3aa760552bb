/** The search that adds nodes: by double click, by keys, or where a wire was let go. */

import { type CSSProperties, useEffect, useMemo, useRef, useState } from "react";
import { focusNode } from "../canvas/focus";
import { wouldRecurse } from "../doc/calls";
import { type Fit, fittingNodes } from "../doc/insert";
import { type Library, placeable } from "../doc/library";
import { groupAt } from "../doc/scope";
import { searchAmong } from "../doc/search";
import { GROUP_PREFIX } from "../doc/types";
import { useEditor, useLibrary, useTab, useUi } from "../editor";
import { workflowOf } from "../store/tabs";
import type { UiState } from "../store/ui";
import { type ListRow, SearchList } from "../ui/SearchList";
import { toneOf } from "../ui/tones";
import css from "./NodeSearch.module.css";

const WIDTH = 320;
const HEIGHT = 360;

type Search = NonNullable<UiState["search"]>;

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

/** What can be chosen from, under headings, while nothing is typed. */
type Section = readonly [heading: string, choices: readonly Choice[]];

const FITS: Readonly<Record<Fit["how"], string>> = {
  exact: "Of this very type",
  direct: "Fit as they are",
  list: "By way of a list",
  any: "Take or give anything",
};

function fitting(library: Library, { type, from }: NonNullable<Search["loose"]>): Section[] {
  const fits = fittingNodes(library, { type, direction: from ? "from" : "to" });
  return (Object.keys(FITS) as Fit["how"][]).map((how) => [
    FITS[how],
    fits.filter((fit) => fit.how === how).map((fit) => fit.spec),
  ]);
}

function byCategory(library: Library): Section[] {
  const found = new Map<string, Choice[]>();
  for (const spec of placeable(library)) {
    const name = spec.category || "other";
    found.set(name, [...(found.get(name) ?? []), spec]);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b));
}

function useSections(search: Search): readonly Section[] {
  const library = useLibrary((state) => state.library);
  const workflow = useTab(workflowOf);
  const scope = useTab((tab) => tab.scope);
  return useMemo(() => {
    if (search.loose) return fitting(library, search.loose);
    const within = workflow && scope ? (groupAt(workflow, scope) ?? null) : null;
    const groups = Object.keys(workflow?.groups ?? {})
      .filter((name) => workflow && !wouldRecurse(workflow, name, within))
      .map((name): Choice => {
        const category = "group of this workflow";
        return { id: `${GROUP_PREFIX}${name}`, title: name, category, description: "", was: [] };
      });
    return [["Groups of this workflow", groups], ...byCategory(library)];
  }, [library, workflow, scope, search.loose]);
}

const rowOf = (choice: Choice): ListRow<Choice> => ({ key: choice.id, value: choice });

function rowsOf(sections: readonly Section[], typed: string): ListRow<Choice>[] {
  if (typed.trim() !== "") {
    const all = sections.flatMap(([, choices]) => choices);
    return searchAmong(all, typed, Number.POSITIVE_INFINITY).map(rowOf);
  }
  return sections.flatMap(([heading, choices]) =>
    choices.length > 0 ? [{ heading }, ...choices.map(rowOf)] : [],
  );
}

function SearchBox({ search }: { search: Search }) {
  const editor = useEditor();
  const { ui, actions } = editor;
  const [typed, setTyped] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const sections = useSections(search);
  const rows = useMemo(() => rowsOf(sections, typed), [sections, typed]);
  const close = () => ui.setState({ search: null });
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) ui.setState({ search: null });
    };
    window.addEventListener("pointerdown", outside, true);
    return () => window.removeEventListener("pointerdown", outside, true);
  }, [ui]);
  const choose = (choice: Choice) => {
    close();
    const add = search.free ? actions.nodes.addNear : actions.nodes.add;
    const id = add(choice.id, search.at, search.loose);
    if (id === null) return;
    ui.say(`Added ${choice.title}.`);
    focusNode(editor, id);
  };
  const left = Math.max(8, Math.min(search.screen[0], window.innerWidth - WIDTH - 8));
  const top = Math.max(8, Math.min(search.screen[1], window.innerHeight - HEIGHT - 8));
  return (
    <div ref={box} className={css.box} style={{ left, top, width: WIDTH }}>
      <SearchList
        label="Search nodes"
        listLabel="Nodes"
        placeholder={search.loose ? `Nodes for ${search.loose.type}` : "Add a node"}
        typed={typed}
        onType={setTyped}
        rows={rows}
        row={(choice) => <Row choice={choice} />}
        onChoose={choose}
        onClose={close}
        empty={typed ? "No node is called like that." : `No node fits ${search.loose?.type}.`}
      />
    </div>
  );
}

function Row({ choice }: { choice: Choice }) {
  const output = useLibrary((state) => {
    const spec = state.library.nodes[choice.id];
    const type = spec?.outputs[0]?.type ?? spec?.inputs[0]?.type ?? "";
    return toneOf(state.library.sockets[type]?.colour ?? "var(--line-strong)");
  });
  return (
    <>
      <span className={css.dot} style={{ "--tint": output } as CSSProperties} />
      <span className={css.title}>{choice.title}</span>
      <span className={css.category}>{choice.category}</span>
    </>
  );
}
