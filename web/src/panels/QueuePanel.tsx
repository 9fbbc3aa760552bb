/** What runs and what is next. */

import { useProgress } from "../app/TabStrip";
import { useEditor, useRuns } from "../editor";
import type { Job } from "../store/runs";
import { EmptyState } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

const DRAGGED_JOB = "application/x-nodeflow-job";

export function QueuePanel() {
  const { api, actions } = useEditor();
  const running = useRuns((state) => state.running);
  const queued = useRuns((state) => state.queued);
  const paused = useRuns((state) => state.paused);
  const workers = useRuns((state) => state.workers);
  const trouble = Object.values(workers).filter((one) => one.state === "died" && one.sentence);
  return (
    <Panel
      title="Queue"
      actions={
        <>
          <Button
            icon={paused ? "play" : "pause"}
            onClick={() => void (paused ? api.resume() : api.pause())}
          >
            {paused ? "Go on" : "Pause"}
          </Button>
          <Button
            disabled={running.length + queued.length === 0}
            onClick={() => void actions.run.cancelAll()}
          >
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
      {running.length + queued.length === 0 && (
        <EmptyState icon="queue" title="Nothing waits">
          Run a workflow, and it takes its turn here.
        </EmptyState>
      )}
      {running.map((id) => (
        <Running key={id} id={id} />
      ))}
      <ol className={css.list} aria-label="Waiting">
        {queued.map((id, index) => (
          <Waiting key={id} id={id} place={index} queued={queued} />
        ))}
      </ol>
    </Panel>
  );
}

const nameOf = (job: Job | undefined) => job?.name || "Untitled";

function Running({ id }: { id: string }) {
  const { actions } = useEditor();
  const job = useRuns((state) => state.jobs[id]);
  const progress = useProgress(id) ?? 0;
  const node = Object.entries(job?.nodes ?? {}).find(([, run]) => run.status === "running");
  return (
    <div className={css.item} data-active>
      <div className={css.grow}>
        {nameOf(job)} <span className={css.muted}>runs{node && `: ${node[0]}`}</span>
        <div
          className={css.bar}
          role="progressbar"
          aria-label={nameOf(job)}
          aria-valuenow={progress}
          aria-valuemin={0}
          aria-valuemax={100}
        >
          <div className={css.fill} style={{ width: `${progress}%` }} />
        </div>
      </div>
      <IconButton
        icon="stop"
        label={`Cancel ${nameOf(job)}`}
        onClick={() => void actions.run.cancelJob(id)}
      />
    </div>
  );
}

interface WaitingProps {
  readonly id: string;
  readonly place: number;
  readonly queued: readonly string[];
}

function Waiting({ id, place, queued }: WaitingProps) {
  const { api, actions, ui } = useEditor();
  const job = useRuns((state) => state.jobs[id]);
  const move = async (moved: string, to: number) => {
    const other = queued[to];
    if (other === undefined || other === moved) return;
    const down = queued.indexOf(moved) < to;
    try {
      await api.move(moved, down ? { after: other } : { before: other });
    } catch (error) {
      ui.toast("error", `The job cannot be moved: ${String(error)}`);
    }
  };
  return (
    <li
      className={css.item}
      draggable
      onDragStart={(event) => event.dataTransfer.setData(DRAGGED_JOB, id)}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(DRAGGED_JOB)) event.preventDefault();
      }}
      onDrop={(event) => void move(event.dataTransfer.getData(DRAGGED_JOB), place)}
    >
      <span className={css.muted}>{place + 1}.</span>
      <span className={css.grow}>
        {nameOf(job)} <span className={css.muted}>{job?.number ? `#${job.number}` : ""}</span>
      </span>
      <IconButton
        icon="chevron-up"
        label={`Move ${nameOf(job)} up`}
        disabled={place === 0}
        onClick={() => void move(id, place - 1)}
      />
      <IconButton
        icon="chevron-down"
        label={`Move ${nameOf(job)} down`}
        disabled={place === queued.length - 1}
        onClick={() => void move(id, place + 1)}
      />
      <IconButton
        icon="close"
        label={`Cancel ${nameOf(job)}, waiting`}
        onClick={() => void actions.run.cancelJob(id)}
      />
    </li>
  );
}
