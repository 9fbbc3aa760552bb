/** What runs and what is next. */

import { useMemo } from "react";
import { useEditor, useRuns } from "../editor";
import { EmptyState } from "../ui/Badge";
import { Button } from "../ui/Button";
import { batchPlaces } from "./job_words";
import { Panel } from "./Panel";
import css from "./Panel.module.css";
import { QueueLine } from "./QueueLine";
import { RunningJob } from "./RunningJob";

export function QueuePanel() {
  const { actions, runs } = useEditor();
  const running = useRuns((state) => state.running);
  const queued = useRuns((state) => state.queued);
  const paused = useRuns((state) => state.paused);
  const workers = useRuns((state) => state.workers);
  const order = useRuns((state) => state.order);
  // Which jobs there are is all that it depends on, and that changes less often than the jobs.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const batches = useMemo(() => batchPlaces(runs.getState().jobs), [runs, order]);
  const trouble = Object.values(workers).filter((one) => one.state === "died" && one.sentence);
  const nothing = running.length + queued.length === 0;
  return (
    <Panel
      title="Queue"
      actions={
        <>
          <Button
            icon={paused ? "play" : "pause"}
            onClick={() => void actions.queue.setPaused(!paused)}
          >
            {paused ? "Go on" : "Pause"}
          </Button>
          <Button disabled={nothing} onClick={() => void actions.queue.cancelAll()}>
            Clear all
          </Button>
        </>
      }
    >
      {paused && (
        <p className={css.muted}>The queue is paused: what runs goes on, nothing is begun.</p>
      )}
      {trouble.map((one) => (
        <p key={one.sentence} className={css.bad}>
          {one.sentence}
        </p>
      ))}
      {nothing && (
        <EmptyState icon="queue" title="Nothing waits">
          Run a workflow, and it takes its turn here.
        </EmptyState>
      )}
      {running.map((id) => (
        <RunningJob key={id} id={id} batch={batches.get(id) ?? ""} />
      ))}
      <QueueLine queued={queued} batches={batches} />
    </Panel>
  );
}
