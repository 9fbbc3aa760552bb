/** Pictures in rows, of which only those in sight are drawn; arrows walk from one to the other. */

import {
  type FocusEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Picture } from "../gen/api";
import { VirtualList } from "../ui/VirtualList";
import css from "./PictureGrid.module.css";

/** What the button of a picture needs to take part in the walk. */
export interface TileProps {
  readonly tabIndex: 0 | -1;
  readonly "data-tile": number;
}

interface PictureGridProps {
  readonly label: string;
  readonly pictures: readonly Picture[];
  /** The button of one picture. */
  readonly tile: (picture: Picture, props: TileProps) => ReactNode;
  /** The walk came to the last one, of which there may be more. */
  readonly onEnd?: (() => void) | undefined;
}

/** Pixels of the narrowest tile, and between two. */
const NARROWEST = 96;
const GAP = 6;
/** Before it was measured, and where nothing can be. */
const UNMEASURED = 300;

export function PictureGrid({ label, pictures, tile, onEnd }: PictureGridProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const [at, setAt] = useState(0);
  const [wanted, setWanted] = useState<number | null>(null);
  const here = Math.max(0, Math.min(at, pictures.length - 1));
  const walk = (event: KeyboardEvent) => {
    const to = stepOf(event.key, here, columns, pictures.length);
    if (to === null || !(event.target as HTMLElement).dataset.tile) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= pictures.length - 1) onEnd?.();
    setAt(to);
    setWanted(to);
  };
  const follow = (event: FocusEvent) => {
    const index = (event.target as HTMLElement).dataset.tile;
    if (index !== undefined) setAt(Number(index));
    setWanted(null);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys and focus of the pictures in it
    <div ref={box} className={css.grid} onKeyDown={walk} onFocus={follow}>
      <VirtualList
        role="grid"
        label={label}
        aria-rowcount={Math.ceil(pictures.length / columns)}
        aria-colcount={columns}
        count={Math.ceil(pictures.length / columns)}
        rowHeight={Math.round(side + GAP)}
        show={wanted === null ? null : Math.floor(wanted / columns)}
        row={(row) => (
          // biome-ignore lint/a11y/useSemanticElements: a table cannot leave out rows out of sight
          <div
            role="row"
            tabIndex={-1}
            aria-rowindex={row + 1}
            className={css.row}
            style={{ gap: GAP }}
          >
            {pictures.slice(row * columns, (row + 1) * columns).map((picture, column) => {
              const index = row * columns + column;
              const props: TileProps = { tabIndex: index === here ? 0 : -1, "data-tile": index };
              return (
                <Cell key={picture.digest} side={side - 1} focus={index === wanted}>
                  {tile(picture, props)}
                </Cell>
              );
            })}
          </div>
        )}
      />
    </div>
  );
}

interface CellProps {
  readonly side: number;
  /** The walk goes here: its button takes the focus, once it is there. */
  readonly focus: boolean;
  readonly children: ReactNode;
}

function Cell({ side, focus, children }: CellProps) {
  const cell = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (focus) cell.current?.querySelector<HTMLElement>("[data-tile]")?.focus();
  }, [focus]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: as the row
    <div ref={cell} role="gridcell" tabIndex={-1} style={{ width: side, height: side }}>
      {children}
    </div>
  );
}

/** Where a key leads from a picture; null for a key that leads nowhere. */
export function stepOf(key: string, at: number, columns: number, count: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    Home: 0,
    End: count - 1,
  };
  const to = steps[key];
  if (to === undefined) return null;
  // Up and down keep the column; from the last rows they stay where they are.
  if ((key === "ArrowUp" && to < 0) || (key === "ArrowDown" && to >= count)) return at;
  return Math.max(0, Math.min(count - 1, to));
}

function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(UNMEASURED);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setWidth(element.clientWidth || UNMEASURED);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, [box]);
  return width;
}
