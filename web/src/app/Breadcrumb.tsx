/** The way into the groups that were entered, and out again. */

import { graphAt } from "../doc/scope";
import { titleOf } from "../doc/titles";
import { useEditor, useLibrary, useTab } from "../editor";
import { workflowOf } from "../store/tabs";
import css from "./Breadcrumb.module.css";

export function Breadcrumb() {
  const { tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const scope = useTab((tab) => tab.scope) ?? [];
  const workflow = useTab(workflowOf);
  if (scope.length === 0 || !workflow) return null;
  const names = scope.map((call, depth) =>
    titleOf(call, graphAt(workflow, scope.slice(0, depth)), workflow, library),
  );
  return (
    <nav className={css.crumbs} aria-label="Groups">
      <button type="button" onClick={() => tabs.leave(0)}>
        {workflow.name || "Workflow"}
      </button>
      {names.map((name, depth) => (
        <span key={scope.slice(0, depth + 1).join("/")}>
          <span aria-hidden="true"> › </span>
          <button
            type="button"
            aria-current={depth === names.length - 1 ? "location" : undefined}
            onClick={() => tabs.leave(depth + 1)}
          >
            {name}
          </button>
        </span>
      ))}
    </nav>
  );
}
