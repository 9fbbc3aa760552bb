/** The line at the foot: what happened last, what is wrong, and how the server is. */

import { useState } from "react";
import { useEditor, useRuns, useTab, useUi } from "../editor";
import { graphOf } from "../store/tabs";
import { Icon } from "../ui/icons";
import css from "./StatusBar.module.css";

export function StatusBar() {
  const status = useUi((state) => state.status);
  const alert = useUi((state) => state.alert);
  const nodes = useTab((tab) => Object.keys(graphOf(tab).nodes).length) ?? 0;
  const chosen = useTab((tab) => tab.selection.size) ?? 0;
  const connection = useRuns((state) => state.connection.state);
  const paused = useRuns((state) => state.paused);
  return (
    <footer className={css.bar}>
      <span role="status" aria-live="polite" className={css.status}>
        {status}
      </span>
      <span role="alert" className="visually-hidden">
        {alert}
      </span>
      <Faults severity="error" word="problem" />
      <Faults severity="warning" word="warning" />
      {paused && <span className={css.note}>queue paused</span>}
      <span className={css.note}>
        {chosen > 0 ? `${chosen} selected of ` : ""}
        {nodes} {nodes === 1 ? "node" : "nodes"}
      </span>
      <span className={css.note} data-state={connection}>
        {connection === "online" ? "connected" : connection}
      </span>
    </footer>
  );
}

interface FaultsProps {
  readonly severity: "error" | "warning";
  readonly word: string;
}

/** How many things are wrong; each press tells one and looks at its node. */
function Faults({ severity, word }: FaultsProps) {
  const { ui, actions } = useEditor();
  const all = useTab((tab) => tab.problems) ?? [];
  const [turn, setTurn] = useState(0);
  const found = all.filter((one) => (one.severity === "warning") === (severity === "warning"));
  if (found.length === 0) return null;
  const tell = () => {
    const one = found[turn % found.length];
    setTurn(turn + 1);
    if (one?.node) actions.nodes.look(one.node);
    if (one) ui.say(`${one.sentence} ${one.way_out}`.trim());
  };
  return (
    <button type="button" className={css.faults} data-severity={severity} onClick={tell}>
      <Icon name={severity === "error" ? "error" : "warning"} size={13} />
      {found.length} {found.length === 1 ? word : `${word}s`}
    </button>
  );
}
