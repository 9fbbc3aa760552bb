/** Every node of the workflow, in the order of the flow: for keys, and for who cannot see it. */

import { useEffect, useMemo, useState } from "react";
import { badgeOf } from "../canvas/badge";
import { useProblemsAt } from "../canvas/useNode";
import { type Line, outline } from "../doc/outline";
import { useEditor, useLibrary, useRuns, useTab } from "../editor";
import type { NodeRun } from "../store/runs";
import { graphOf, scopeKey, workflowOf } from "../store/tabs";
import { EmptyState } from "../ui/Badge";
import { Tree, type TreeRow } from "../ui/Tree";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function OutlinePanel() {
  const { actions, tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const workflow = useTab(workflowOf);
  const scope = useTab((tab) => scopeKey(tab.scope)) ?? "";
  const selection = useTab((tab) => tab.selection);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  // Whoever enters a group sees in the outline where that lies.
  useEffect(() => setOpen((now) => new Set([...now, ...entered(scope)])), [scope]);
  const rows = useMemo(
    () => (workflow ? outline(workflow, library, open).map(rowOf) : []),
    [workflow, library, open],
  );
  const inView = (line: Line) => scopeKey(line.scope) === scope;
  const toggle = ({ key }: TreeRow<Line>) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  return (
    <Panel title="Outline" fill>
      {rows.length === 0 ? (
        <EmptyState icon="outline" title="The graph has no nodes" />
      ) : (
        <Tree<Line>
          label="Nodes in their order"
          rows={rows}
          row={(line) => <Row line={line} />}
          isSelected={(line) => inView(line) && (selection?.has(`n:${line.id}`) ?? false)}
          onToggle={toggle}
          onEnter={({ value }) => actions.nodes.look(value.flat)}
          onActive={(line) => {
            const tab = tabs.current();
            if (tab && inView(line) && graphOf(tab).nodes[line.id]) tabs.select([`n:${line.id}`]);
          }}
        />
      )}
    </Panel>
  );
}

/** Flat ids of the calls that lead to a scope. */
function entered(scope: string): string[] {
  const ids = scope === "" ? [] : scope.split("/");
  return ids.map((_, depth) => ids.slice(0, depth + 1).join("/"));
}

const rowOf = (line: Line): TreeRow<Line> => ({
  key: line.flat,
  value: line,
  label: line.title,
  level: line.scope.length + 1,
  open: line.open,
  nth: line.nth,
});

function Row({ line }: { line: Line }) {
  const run = useRunAt(line);
  const problems = useProblemsAt(line.flat);
  const wrong = problems.some((one) => one.severity !== "warning");
  const state = line.open === null ? (badgeOf(run, false)?.text ?? "") : groupState(run);
  const warned = problems.length > 0 ? "warning" : state;
  return (
    <>
      <span className={css.grow}>{line.title}</span>{" "}
      <span className={wrong || run?.status === "failed" ? css.bad : css.muted}>
        {wrong ? "problem" : (line.mode ?? warned)}
      </span>
    </>
  );
}

/** What tells most of a group, the most telling first. */
const TELLING = ["failed", "running", "cancelled", "waiting", "skipped", "ran"] as const;

/** What became of a node; of a group, of that node in it which tells most. */
function useRunAt(line: Line): NodeRun | undefined {
  const job = useTab((tab) => tab.job);
  return useRuns((state) => {
    const runs = (job !== null && state.jobs[job]?.nodes) || {};
    if (line.open === null) return runs[line.flat];
    const inner = Object.entries(runs).filter(([flat]) => flat.startsWith(`${line.flat}/`));
    for (const status of TELLING) {
      const found = inner.find(([, run]) => run.status === status);
      if (found) return found[1];
    }
    return inner[0]?.[1];
  });
}

function groupState(run: NodeRun | undefined): string {
  if (!run) return "";
  return run.status === "ran" || run.status === "memory" || run.status === "disk"
    ? "done"
    : run.status;
}
