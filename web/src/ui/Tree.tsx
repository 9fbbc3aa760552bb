/** A tree that keys walk, of which only the rows in sight are drawn. */

import { type DragEvent, type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { Icon } from "./icons";
import { makeTyping, typedTo } from "./options";
import styles from "./Tree.module.css";
import { VirtualList } from "./VirtualList";

export interface TreeRow<T> {
  readonly key: string;
  readonly value: T;
  /** What letters that are typed are compared with. */
  readonly label: string;
  /** From 1 on. */
  readonly level: number;
  /** Null if nothing lies in it. */
  readonly open: boolean | null;
  /** Which one it is of those in the same place, from 1 on, and how many those are. */
  readonly nth: readonly [number, number];
}

interface TreeProps<T> {
  readonly label: string;
  readonly rows: readonly TreeRow<T>[];
  readonly row: (value: T) => ReactNode;
  /** What it is called, where that is more than what its row shows. */
  readonly name?: (value: T) => string | undefined;
  readonly isSelected?: (value: T) => boolean;
  /** Enter, or a click. */
  readonly onEnter: (row: TreeRow<T>) => void;
  readonly onToggle: (row: TreeRow<T>) => void;
  /** The keys have come to a row. */
  readonly onActive?: (value: T) => void;
  readonly onSpace?: (value: T) => void;
  /** Given, rows of which it does not say null can be dragged, with what it says. */
  readonly dragged?: (value: T) => readonly [type: string, data: string] | null;
}

const ROW = 30;

export function Tree<T>(props: TreeProps<T>) {
  const { rows, onEnter, onToggle, onActive, onSpace } = props;
  const id = useId();
  const typing = useRef(makeTyping());
  const [wanted, setWanted] = useState<{ key: string; at: number }>({ key: "", at: 0 });
  const found = rows.findIndex((row) => row.key === wanted.key);
  // What is gone leaves the keys where it was.
  const at = found >= 0 ? found : Math.min(wanted.at, rows.length - 1);
  const active = rows[at];
  const go = (index: number) => {
    const row = rows[index];
    if (!row) return;
    setWanted({ key: row.key, at: index });
    if (index !== at) onActive?.(row.value);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !active) return;
    const next = moved(event.key, at, rows);
    if (next !== null) go(next);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      if (active.open === (event.key === "ArrowLeft")) onToggle(active);
    } else if (event.key === "Enter") onEnter(active);
    else if (event.key === " ") onSpace?.(active.value);
    else if (event.key.length === 1) {
      const options = rows.map(({ key, label }) => ({ value: key, label }));
      const index = typedTo(options, typing.current(event.key, event.timeStamp), at);
      if (index >= 0) go(index);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <VirtualList
      role="tree"
      label={props.label}
      tabIndex={0}
      className={styles.tree}
      aria-activedescendant={active ? `${id}${at}` : undefined}
      count={rows.length}
      rowHeight={ROW}
      show={wanted.key === "" ? null : at}
      rowKey={(index) => rows[index]?.key ?? index}
      onKeyDown={onKeyDown}
      row={(index) => {
        const row = rows[index];
        return (
          row && (
            <Item
              id={`${id}${index}`}
              row={row}
              active={index === at}
              onPick={() => {
                go(index);
                onEnter(row);
              }}
              tree={props}
            />
          )
        );
      }}
    />
  );
}

/** Where a key leads; null if it leads nowhere, as to the right from what is folded. */
function moved<T>(key: string, at: number, rows: readonly TreeRow<T>[]): number | null {
  const row = rows[at];
  const last = rows.length - 1;
  switch (key) {
    case "ArrowDown":
      return Math.min(last, at + 1);
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "PageDown":
      return Math.min(last, at + 10);
    case "PageUp":
      return Math.max(0, at - 10);
    case "Home":
      return 0;
    case "End":
      return last;
    case "ArrowRight":
      return row?.open ? at + 1 : null;
    case "ArrowLeft":
      return row && row.open !== true ? parentOf(at, rows) : null;
    default:
      return null;
  }
}

function parentOf<T>(at: number, rows: readonly TreeRow<T>[]): number {
  const level = rows[at]?.level ?? 1;
  for (let index = at - 1; index >= 0; index -= 1) {
    if ((rows[index]?.level ?? 1) < level) return index;
  }
  return at;
}

interface ItemProps<T> {
  readonly id: string;
  readonly row: TreeRow<T>;
  readonly active: boolean;
  readonly onPick: () => void;
  readonly tree: TreeProps<T>;
}

function Item<T>({ id, row, active, onPick, tree }: ItemProps<T>) {
  const { value, level, open, nth } = row;
  const dragged = tree.dragged?.(value) ?? null;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus
    <div
      id={id}
      role="treeitem"
      aria-level={level}
      aria-expanded={open ?? undefined}
      aria-setsize={nth[1]}
      aria-posinset={nth[0]}
      aria-selected={tree.isSelected?.(value) ?? active}
      aria-label={tree.name?.(value)}
      data-active={active || undefined}
      className={styles.item}
      style={{ paddingLeft: 8 + 16 * (level - 1) }}
      draggable={dragged !== null}
      onDragStart={(event: DragEvent) => {
        if (dragged) event.dataTransfer.setData(...dragged);
      }}
      onClick={onPick}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: left and right fold by keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the row is what is named */}
      <span
        className={styles.fold}
        onClick={(event) => {
          if (open === null) return;
          event.stopPropagation();
          tree.onToggle(row);
        }}
      >
        {open !== null && <Icon name={open ? "chevron-down" : "chevron-right"} size={14} />}
      </span>
      {tree.row(value)}
    </div>
  );
}
