/** The jobs that wait, in their order, which the pointer and the keys change. */

import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { useEditor, useRuns } from "../editor";
import { IconButton } from "../ui/Button";
import { nameOf } from "./job_words";
import css from "./Panel.module.css";

const DRAGGED_JOB = "application/x-nodeflow-job";

/** Rows that are drawn; a batch may have a thousand jobs. */
const ROWS = 200;

interface LineProps {
  readonly queued: readonly string[];
  readonly batches: ReadonlyMap<string, string>;
}

export function QueueLine({ queued, batches }: LineProps) {
  const { actions } = useEditor();
  const list = useRef<HTMLOListElement>(null);
  const moved = useRef<string | null>(null);
  const move = (id: string, to: number) => {
    const other = queued[to];
    if (other === undefined || other === id) return;
    const down = queued.indexOf(id) < to;
    void actions.queue.move(id, down ? { after: other } : { before: other });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: a row that took another place loses the focus
  useLayoutEffect(() => {
    const row = [...(list.current?.children ?? [])].find(
      (one) => one instanceof HTMLElement && one.dataset.job === moved.current,
    );
    moved.current = null;
    if (row instanceof HTMLElement) row.focus();
  }, [queued]);
  return (
    <>
      <ol className={css.list} aria-label="Waiting" ref={list}>
        {queued.slice(0, ROWS).map((id, place) => (
          <Waiting
            key={id}
            id={id}
            place={place}
            last={place === queued.length - 1}
            batch={batches.get(id) ?? ""}
            onMove={move}
            onKeys={(to) => {
              moved.current = id;
              move(id, to);
            }}
          />
        ))}
      </ol>
      {queued.length > ROWS && (
        <p className={css.muted}>And {queued.length - ROWS} more behind them.</p>
      )}
    </>
  );
}

interface WaitingProps {
  readonly id: string;
  readonly place: number;
  readonly last: boolean;
  /** Which job of its batch it is. */
  readonly batch: string;
  readonly onMove: (id: string, to: number) => void;
  /** The same, after which the row has the focus again. */
  readonly onKeys: (to: number) => void;
}

function Waiting({ id, place, last, batch, onMove, onKeys }: WaitingProps) {
  const { actions } = useEditor();
  const job = useRuns((state) => state.jobs[id]);
  const [over, setOver] = useState(false);
  const name = nameOf(job);
  const number = job?.number ? `#${job.number}` : "";
  const onKeyDown = (event: KeyboardEvent) => {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    event.stopPropagation();
    onKeys(event.key === "ArrowUp" ? place - 1 : place + 1);
  };
  return (
    <li
      className={css.item}
      data-job={id}
      data-over={over || undefined}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: so that Alt with arrows moves it
      tabIndex={0}
      aria-label={`${name} ${number}, waits at place ${place + 1}`}
      aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown"
      title="Drag it, or press Alt with an arrow, to change its turn"
      draggable
      onKeyDown={onKeyDown}
      onDragStart={(event) => event.dataTransfer.setData(DRAGGED_JOB, id)}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(DRAGGED_JOB)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        onMove(event.dataTransfer.getData(DRAGGED_JOB), place);
      }}
    >
      <span className={css.muted}>{place + 1}.</span>
      <span className={css.grow}>
        {name} <span className={css.muted}>{[number, batch].filter(Boolean).join(" · ")}</span>
      </span>
      <IconButton
        icon="chevron-up"
        label={`Move ${name} up`}
        disabled={place === 0}
        onClick={() => onMove(id, place - 1)}
      />
      <IconButton
        icon="chevron-down"
        label={`Move ${name} down`}
        disabled={last}
        onClick={() => onMove(id, place + 1)}
      />
      <IconButton
        icon="close"
        label={`Cancel ${name}, waiting`}
        onClick={() => void actions.queue.cancel(id)}
      />
    </li>
  );
}
