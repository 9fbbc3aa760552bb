/** The line at the foot: what happened last, what is wrong, and how the server is. */

import { useEditor, useRuns, useTab, useUi } from "../editor";
import { Icon } from "../ui/icons";
import css from "./StatusBar.module.css";

export function StatusBar() {
  const { ui, actions } = useEditor();
  const status = useUi((state) => state.status);
  const problems = useTab((tab) => tab.problems) ?? [];
  const nodes = useTab((tab) => Object.keys(tab.history.now.nodes).length) ?? 0;
  const chosen = useTab((tab) => tab.selection.size) ?? 0;
  const connection = useRuns((state) => state.connection.state);
  const paused = useRuns((state) => state.paused);
  const errors = problems.filter((one) => one.severity !== "warning");
  const first = errors[0];
  return (
    <footer className={css.bar}>
      <span role="status" aria-live="polite" className={css.status}>
        {status}
      </span>
      {first && (
        <button
          type="button"
          className={css.problems}
          onClick={() => {
            if (first.node) actions.nodes.look(first.node);
            ui.say(first.sentence);
          }}
        >
          <Icon name="error" size={13} />{" "}
          {errors.length === 1 ? "1 problem" : `${errors.length} problems`}
        </button>
      )}
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
