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
  const go = (by: number, input?: HTMLInputElement) => {
    if (found.length === 0) return;
    const next = (at + by + found.length) % found.length;
    const place = found[next];
    setAt(next);
    if (!place) return;
    actions.nodes.look(flatId(place.scope, place.node));
    // The next Enter goes on from here.
    setTimeout(() => input?.focus(), 120);
  };
  const close = () => ui.setState({ finding: false });
  return (
    <search className={css.bar}>
      <input
        type="search"
        aria-label="Find in the graph"
        placeholder="Title, type or value"
        ref={(input) => {
          if (input && at < 0 && typed === "") input.focus();
        }}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Enter") go(event.shiftKey ? -1 : 1, event.currentTarget);
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
