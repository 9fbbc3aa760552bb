/** A box to type in, and below it what answers, of which only the rows in sight are drawn. */

import { type KeyboardEvent, type ReactNode, useEffect, useId, useState } from "react";
import styles from "./SearchList.module.css";
import { VirtualList } from "./VirtualList";

export interface Choice<T> {
  readonly key: string;
  readonly value: T;
  /** What it is called, where that is more than what its row shows. */
  readonly name?: string;
  /** It is shown, and says why it cannot be chosen. */
  readonly disabled?: boolean;
}

/** A choice, or what stands above several. */
export type ListRow<T> = Choice<T> | { readonly heading: string };

interface SearchListProps<T> {
  readonly label: string;
  readonly listLabel: string;
  readonly placeholder: string;
  readonly typed: string;
  readonly onType: (text: string) => void;
  readonly rows: readonly ListRow<T>[];
  readonly row: (value: T) => ReactNode;
  readonly onChoose: (value: T) => void;
  readonly onClose: () => void;
  /** Told which choice the keys are at; null if there is none. */
  readonly onActive?: (value: T | null) => void;
  readonly empty: string;
}

const ROW = 30;
const SHOWN = 9;

/** How far a key leads; left and right do too while there is no text to walk in. */
function stepOf(key: string, typed: string): number {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: SHOWN,
    PageUp: -SHOWN,
    ...(typed === "" && { ArrowRight: 1, ArrowLeft: -1 }),
  };
  return steps[key] ?? 0;
}

export function SearchList<T>(props: SearchListProps<T>) {
  const { rows, typed, onType, onChoose, onClose, onActive } = props;
  const id = useId();
  const [wanted, setWanted] = useState(0);
  const places = rows.flatMap((row, index) => ("heading" in row ? [] : [index]));
  const at = Math.min(wanted, places.length - 1);
  const place = places[at] ?? -1;
  const current = rows[place];
  const active = current && !("heading" in current) ? current : null;
  const value = active?.value ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: told when another one is at hand
  useEffect(() => onActive?.(value), [active?.key]);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const step = stepOf(event.key, typed);
    if (step !== 0) setWanted(walked(at, step, places.length));
    else if (event.key === "Enter" && active) onChoose(active.value);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        className={styles.input}
        role="combobox"
        aria-label={props.label}
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls={id}
        aria-activedescendant={active ? `${id}${place}` : undefined}
        placeholder={props.placeholder}
        spellCheck={false}
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: it was opened to be typed in
        autoFocus
        value={typed}
        onChange={(event) => {
          setWanted(0);
          onType(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      <Choices {...props} id={id} places={places} place={place} />
      {places.length === 0 && <p className={styles.none}>{props.empty}</p>}
    </>
  );
}

interface ChoicesProps<T> extends SearchListProps<T> {
  readonly id: string;
  /** The rows that can be gone to, and the one that the keys are at. */
  readonly places: readonly number[];
  readonly place: number;
}

function Choices<T>({ id, listLabel, rows, row: draw, places, place, onChoose }: ChoicesProps<T>) {
  return (
    <VirtualList
      id={id}
      role="listbox"
      label={listLabel}
      className={styles.list}
      style={{ flex: "none", height: ROW * Math.min(SHOWN, rows.length) }}
      count={rows.length}
      rowHeight={ROW}
      show={place === places[0] ? 0 : place}
      rowKey={(index) => keyOf(rows[index], index)}
      row={(index) => {
        const row = rows[index];
        if (!row) return null;
        if ("heading" in row) return <div className={styles.heading}>{row.heading}</div>;
        return (
          <Option
            id={`${id}${index}`}
            choice={row}
            active={index === place}
            nth={[places.indexOf(index) + 1, places.length]}
            onChoose={onChoose}
          >
            {draw(row.value)}
          </Option>
        );
      }}
    />
  );
}

/** Where a step leads: single steps go round, leaps stop at the ends. */
function walked(at: number, step: number, count: number): number {
  if (count === 0) return 0;
  const next = at + step;
  if (Math.abs(step) === 1) return (next + count) % count;
  return Math.max(0, Math.min(count - 1, next));
}

const keyOf = <T,>(row: ListRow<T> | undefined, index: number): string | number =>
  row === undefined ? index : "heading" in row ? `heading ${row.heading}` : row.key;

interface OptionProps<T> {
  readonly id: string;
  readonly choice: Choice<T>;
  readonly active: boolean;
  /** Which one it is, and of how many. */
  readonly nth: readonly [number, number];
  readonly onChoose: (value: T) => void;
  readonly children: ReactNode;
}

function Option<T>({ id, choice, active, nth, onChoose, children }: OptionProps<T>) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the box has the focus
    <div
      id={id}
      role="option"
      aria-selected={active}
      aria-label={choice.name}
      aria-disabled={choice.disabled || undefined}
      aria-posinset={nth[0]}
      aria-setsize={nth[1]}
      className={styles.row}
      // The box keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      onClick={() => onChoose(choice.value)}
    >
      {children}
    </div>
  );
}
