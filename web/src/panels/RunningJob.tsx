/** A job that runs: how far it is, at which node, and how long that will still take. */

import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { useProgress } from "../app/TabStrip";
import { StepText } from "../canvas/StepText";
import { flatTitle } from "../doc/titles";
import type { Workflow } from "../doc/types";
import { useEditor, useLibrary, useRuns } from "../editor";
import { nodeAt } from "../store/runs";
import { workflowOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import { nameOf } from "./job_words";
import css from "./Panel.module.css";

/** @param batch Which job of its batch it is. */
export function RunningJob({ id, batch }: { id: string; batch: string }) {
  const { actions } = useEditor();
  const job = useRuns((state) => state.jobs[id]);
  const progress = useProgress(id) ?? 0;
  const workflow = useJobWorkflow(id);
  const library = useLibrary((state) => state.library);
  const at = nodeAt(job);
  const run = at === null ? undefined : job?.nodes[at];
  const name = nameOf(job);
  return (
    <div className={css.item} data-active>
      <div className={css.grow}>
        <div className={css.line}>
          <span className={css.grow}>
            {name} <span className={css.muted}>{batch}</span>
          </span>
          <span className={css.muted}>{progress} %</span>
        </div>
        <div
          className={css.bar}
          role="progressbar"
          aria-label={name}
          aria-valuenow={progress}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <div className={css.fill} style={{ width: `${progress}%` }} />
        </div>
        <div className={`${css.muted} ${css.grow}`}>
          {at !== null && workflow ? flatTitle(at, workflow, library) : "runs"}
          {run?.total ? " " : ""}
          {run?.total && <StepText run={run} />}
        </div>
      </div>
      <IconButton
        icon="stop"
        label={`Cancel ${name}`}
        onClick={() => void actions.queue.cancel(id)}
      />
    </div>
  );
}

/** What a job runs, for the titles of its nodes: that of its tab, else as the server has it. */
function useJobWorkflow(id: string): Workflow | null {
  const { api, tabs } = useEditor();
  const [fetched, setFetched] = useState<Workflow | null>(null);
  const open = useStore(tabs, (state) => {
    const tab = state.tabs.find((one) => one.job === id || one.jobs.includes(id));
    return tab ? workflowOf(tab) : null;
  });
  const wanted = open === null;
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    // Without it the row says that the job runs, which is enough.
    api.jobWorkflow(id).then(
      (workflow) => gone || setFetched(workflow),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [api, id, wanted]);
  return open ?? fetched;
}
