/** Past runs: their pictures, how long they took, and the workflow that each ran. */

import { useEditor, useRuns, useTab } from "../editor";
import { isOver, type Job } from "../store/runs";
import { EmptyState } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import { endOf, nameOf, picturesOf, whenOf } from "./job_words";
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

function Past({ job }: { job: Job }) {
  const { actions } = useEditor();
  const shown = useTab((tab) => tab.job === job.id) ?? false;
  const name = `${nameOf(job)} #${job.number}`;
  return (
    <li className={css.item} data-active={shown || undefined} aria-current={shown || undefined}>
      <Thumb job={job} name={name} />
      <div className={css.grow}>
        <div className={css.grow}>{name}</div>
        <div className={css.muted}>{endOf(job)}</div>
        {job.status === "failed" ? (
          <div className={css.bad}>{job.problem}</div>
        ) : (
          <time className={css.muted} dateTime={new Date(1000 * job.submitted).toISOString()}>
            {whenOf(job)}
          </time>
        )}
        <div className={css.tools}>
          <IconButton
            small
            icon="node"
            label={`Open the workflow of ${name}`}
            onClick={() => void actions.files.openJob(job.id)}
          />
          <IconButton
            small
            icon="refresh"
            label={`Run ${name} again`}
            onClick={() => void actions.queue.retry(job.id)}
          />
          <Menu
            trigger={<IconButton small icon="more" label={`More of ${name}`} />}
            items={[
              { label: "Show on the nodes", icon: "eye", run: () => actions.run.show(job.id) },
              "separator",
              {
                label: "Remove from the history",
                icon: "trash",
                danger: true,
                run: () => void actions.queue.remove(job.id),
              },
            ]}
          />
        </div>
      </div>
    </li>
  );
}

function Thumb({ job, name }: { job: Job; name: string }) {
  const { api, ui } = useEditor();
  const pictures = picturesOf(job);
  const [first] = pictures;
  if (!first) return <span className={css.thumb} />;
  return (
    <button
      type="button"
      className={css.plain}
      aria-label={
        pictures.length > 1 ? `${pictures.length} pictures of ${name}` : `Picture of ${name}`
      }
      onClick={() => ui.show({ kind: "picture", digest: first.digest })}
    >
      <img
        className={css.thumb}
        src={api.resultUrl(first.digest, { thumb: 128 })}
        alt=""
        loading="lazy"
      />
    </button>
  );
}
