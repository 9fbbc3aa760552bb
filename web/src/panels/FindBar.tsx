/** Finds nodes of the workflow by what they are called or what is written in them. */

import { useMemo, useState } from "react";
import { flatId } from "../doc/scope";
import { findInGraph } from "../doc/search";
import { useEditor, useLibrary, useTab, useUi } from "../editor";
import { workflowOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import css from "./FindBar.module.css";

export function FindBar() {
  const finding = useUi((state) => state.finding);
  return finding && <Find />;
}

function Find() {
  const { ui, actions } = useEditor();
  const library = useLibrary((state) => state.library);
  const workflow = useTab(workflowOf);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(-1);
  const found = useMemo(
    () => (workflow ? findInGraph(workflow, library, typed) : []),
    [workflow, library, typed],
  );
  const here = found[at];
  const go = (by: number) => {
    if (found.length === 0) return;
    const next = (at + by + found.length) % found.length;
    const place = found[next];
    setAt(next);
    if (!place) return;
    // The focus stays, so that the next Enter goes on from here.
    actions.nodes.show(flatId(place.scope, place.node));
  };
  const close = () => {
    ui.setState({ finding: false });
    if (here) actions.nodes.look(flatId(here.scope, here.node));
  };
  return (
    <search className={css.bar}>
      <input
        type="search"
        aria-label="Find in the graph"
        placeholder="Title, type or value"
        // biome-ignore lint/a11y/noAutofocus: it was opened to be typed in
        autoFocus
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") close();
        }}
      />
      <span className={css.count} role="status">
        {typed === ""
          ? ""
          : found.length === 0
            ? "nothing"
            : `${Math.max(0, at + 1)} of ${found.length}`}
      </span>
      <IconButton icon="chevron-up" label="Previous" onClick={() => go(-1)} />
      <IconButton icon="chevron-down" label="Next" onClick={() => go(1)} />
      <IconButton icon="close" label="Close the search" onClick={close} />
    </search>
  );
}
