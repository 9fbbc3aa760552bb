import {
  type ComponentProps,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { classes } from "./classes";
import styles from "./VirtualList.module.css";

interface VirtualListProps extends Omit<ComponentProps<"div">, "children"> {
  readonly count: number;
  readonly rowHeight: number;
  /** One row; it fills a box of that height. */
  readonly row: (index: number) => ReactNode;
  readonly rowKey?: ((index: number) => string | number) | undefined;
  readonly label: string;
  /** `list` makes items of its rows; rows of other roles (tree, listbox) bring their own. */
  readonly role?: "list" | "tree" | "listbox" | "grid" | undefined;
  /** A row that is to be in sight. */
  readonly show?: number | null | undefined;
}

/** Rows beyond the edges, so that slow scrolling shows no gaps. */
const SPARE = 6;
/** Before it was measured, and where nothing can be. */
const UNMEASURED = 600;

/** A list of rows of one height, of which only those in sight are drawn. */
export function VirtualList(props: VirtualListProps) {
  const { count, rowHeight, row, rowKey, label, role = "list", show, className, ...rest } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(UNMEASURED);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setHeight(element.clientHeight || UNMEASURED);
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!element || show === null || show === undefined) return;
    const at = show * rowHeight;
    const seen = element.clientHeight || UNMEASURED;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + rowHeight > element.scrollTop + seen) element.scrollTop = at + rowHeight - seen;
    setTop(element.scrollTop);
  }, [show, rowHeight]);

  const first = Math.max(0, Math.min(count, Math.floor(top / rowHeight)) - SPARE);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE);
  const indices = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  return (
    <div
      {...rest}
      ref={box}
      {...{ role, "aria-label": label }}
      className={classes(styles.list, className)}
      onScroll={(event) => {
        setTop(event.currentTarget.scrollTop);
        rest.onScroll?.(event);
      }}
    >
      <div role="presentation" className={styles.all} style={{ height: count * rowHeight }}>
        {indices.map((index) => (
          <div
            key={rowKey?.(index) ?? index}
            {...(role === "list"
              ? { role: "listitem", "aria-setsize": count, "aria-posinset": index + 1 }
              : { role: "presentation" })}
            className={styles.row}
            style={{ top: index * rowHeight, height: rowHeight }}
          >
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
