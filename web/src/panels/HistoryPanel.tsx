/** Past runs: their pictures, how long they took, and the workflow that each ran. */

import { duration } from "../canvas/badge";
import { useEditor, useRuns } from "../editor";
import { isOver, type Job } from "../store/runs";
import { EmptyState } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function HistoryPanel() {
  const { actions } = useEditor();
  const order = useRuns((state) => state.order);
  const jobs = useRuns((state) => state.jobs);
  const older = useRuns((state) => state.older);
  const over = order.flatMap((id) => {
    const job = jobs[id];
    return job && isOver(job) ? [job] : [];
  });
  return (
    <Panel title="History">
      {over.length === 0 && (
        <EmptyState icon="history" title="Nothing has run yet">
          Every run is kept here, with its workflow and its pictures.
        </EmptyState>
      )}
      <ul className={css.list} aria-label="Runs">
        {over.map((job) => (
          <Past key={job.id} job={job} />
        ))}
      </ul>
      {older !== null && <Button onClick={() => void actions.queue.older()}>Older runs</Button>}
    </Panel>
  );
}

/** The first picture that a job made. */
export function pictureOf(job: Job): string | null {
  const files = [
    ...Object.values(job.outputs).flatMap((output) => output.files ?? []),
    ...Object.values(job.files).flat(),
  ];
  return files.find((file) => file.media_type.startsWith("image/"))?.digest ?? null;
}

function told(job: Job): string {
  const { ran = 0, memory = 0, disk = 0 } = job.counts;
  const parts = [`${ran} ran`];
  if (memory) parts.push(`${memory} from memory`);
  if (disk) parts.push(`${disk} from disk`);
  return parts.join(", ");
}

function Past({ job }: { job: Job }) {
  const { api, actions, ui } = useEditor();
  const picture = pictureOf(job);
  const name = `${job.name || "Untitled"} #${job.number}`;
  const when = new Date(1000 * (job.finished ?? job.submitted)).toLocaleString();
  return (
    <li className={css.item}>
      {picture ? (
        <button
          type="button"
          className={css.plain}
          aria-label={`Picture of ${name}`}
          onClick={() => ui.show({ kind: "picture", digest: picture })}
        >
          <img
            className={css.thumb}
            src={api.resultUrl(picture, { thumb: 128 })}
            alt=""
            loading="lazy"
          />
        </button>
      ) : (
        <span className={css.thumb} />
      )}
      <div className={css.grow}>
        <div className={css.grow}>{name}</div>
        <div className={css.muted}>
          {job.status === "done" ? `${duration(job.seconds ?? 0)} · ${told(job)}` : job.status}
        </div>
        <div className={job.status === "failed" ? css.bad : css.muted}>
          {job.status === "failed" ? job.problem : when}
        </div>
      </div>
      <IconButton
        icon="node"
        label={`Open the workflow of ${name}`}
        onClick={() => void actions.files.openJob(job.id)}
      />
      <IconButton
        icon="refresh"
        label={`Run ${name} again`}
        onClick={() => void actions.queue.retry(job.id)}
      />
      <IconButton
        icon="trash"
        label={`Remove ${name}`}
        onClick={() => void actions.queue.remove(job.id)}
      />
    </li>
  );
}
