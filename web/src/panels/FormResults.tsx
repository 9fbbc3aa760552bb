/** What came out of the form: the newest pictures and values, and those of the runs before. */

import { useMemo } from "react";
import { StepText } from "../canvas/StepText";
import { flatTitle } from "../doc/titles";
import { useEditor, useLibrary, useRuns, useTab } from "../editor";
import type { FileView } from "../gen/api";
import { type Job, nodeAt } from "../store/runs";
import { workflowOf } from "../store/tabs";
import { EmptyState } from "../ui/Badge";
import css from "./FormResults.module.css";
import { picturesOf, whenOf } from "./job_words";

/** Runs that the strip shows. */
const STRIP = 24;

export function FormResults() {
  const id = useTab((tab) => tab.job);
  const job = useRuns((state) => (id ? state.jobs[id] : undefined));
  const preview = Object.values(job?.nodes ?? {}).find(
    (run) => run.status === "running" && run.preview,
  )?.preview;
  return (
    <section className={css.results} aria-label="Results">
      {preview && <img className={css.picture} src={preview} alt="Preview" />}
      {job && <Made job={job} waits={preview !== undefined} />}
      {!job && <Nothing />}
      <Strip />
    </section>
  );
}

const Nothing = () => (
  <EmptyState icon="image" title="Nothing yet">
    Results appear here.
  </EmptyState>
);

/** The pictures and the values of a job; a picture that an output and a node have is there once. */
function Made({ job, waits }: { job: Job; waits: boolean }) {
  const values = Object.entries(job.outputs).filter(([, output]) => !output.files);
  const pictures = picturesOf(job);
  if (job.status === "failed") return <p className={css.bad}>{job.problem}</p>;
  if (pictures.length + values.length === 0) return waits ? null : <Nothing />;
  return (
    <>
      {pictures.map((file) => (
        <Picture key={file.digest} file={file} />
      ))}
      {values.map(([name, output]) => (
        <figure key={name} className={css.figure}>
          <pre className={css.value}>{JSON.stringify(output.value, null, 2)}</pre>
          <figcaption className={css.about}>{name}</figcaption>
        </figure>
      ))}
    </>
  );
}

function Picture({ file }: { file: FileView }) {
  const { api, ui } = useEditor();
  return (
    <figure className={css.figure}>
      <button
        type="button"
        className={css.open}
        aria-label={`Open ${file.name}`}
        onClick={() => ui.show({ kind: "picture", digest: file.digest })}
      >
        <img className={css.picture} src={api.resultUrl(file.digest)} alt={file.name} />
      </button>
      <figcaption className={css.about}>{file.name}</figcaption>
    </figure>
  );
}

/** Runs of this workflow that made a picture, the newest first; a press shows what one made. */
function Strip() {
  const { api, actions, runs } = useEditor();
  const order = useRuns((state) => state.order);
  const gallery = useRuns((state) => state.gallery.pictures);
  const shown = useTab((tab) => tab.job);
  const path = useTab((tab) => tab.path);
  const own = useTab((tab) => tab.jobs);
  const name = useTab((tab) => workflowOf(tab).name) ?? "";
  // Jobs change with every step; what they made only together with these.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const past = useMemo(() => {
    const { jobs } = runs.getState();
    const ours = (job: Job) =>
      own?.includes(job.id) || (path === null ? job.name === name : job.path === path);
    const found = order.flatMap((id) => {
      const job = jobs[id];
      const picture = job && ours(job) ? picturesOf(job)[0] : undefined;
      return job && picture ? [{ job, picture }] : [];
    });
    return found.slice(0, STRIP);
  }, [runs, order, gallery, own, path, name]);
  if (past.length === 0) return null;
  return (
    <ul className={css.strip} aria-label="Runs before">
      {past.map(({ job, picture }) => (
        <li key={job.id}>
          <button
            type="button"
            className={css.past}
            aria-label={`Show what run #${job.number} made`}
            aria-pressed={job.id === shown}
            title={whenOf(job)}
            onClick={() => actions.run.show(job.id)}
          >
            <img src={api.resultUrl(picture.digest, { thumb: 128 })} alt="" loading="lazy" />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** At which node the job is, how far, and how long still. */
export function FormProgress({ progress }: { progress: number }) {
  const id = useTab((tab) => tab.job);
  const workflow = useTab(workflowOf);
  const job = useRuns((state) => (id ? state.jobs[id] : undefined));
  const library = useLibrary((state) => state.library);
  const at = nodeAt(job);
  const run = at === null ? undefined : job?.nodes[at];
  return (
    <div className={css.progress}>
      <div
        className={css.track}
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuenow={progress}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <div className={css.fill} style={{ width: `${progress}%` }} />
      </div>
      <p className={css.about}>
        {progress} %{at !== null && workflow && ` · ${flatTitle(at, workflow, library)} `}
        {run?.total && <StepText run={run} />}
      </p>
    </div>
  );
}
