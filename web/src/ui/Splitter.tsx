import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from "react";
import { classes } from "./classes";
import { meansControl } from "./keys";
import styles from "./Splitter.module.css";

export type Side = "left" | "right" | "top" | "bottom";

interface SplitPanelProps {
  /** At which edge of its parent (a flex row or column) the panel lies. */
  readonly side: Side;
  readonly size: number;
  readonly min: number;
  readonly max: number;
  readonly onSize: (size: number, done: boolean) => void;
  /** Name of the panel, as "Library"; what lies in it says it for itself. */
  readonly label: string;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

/** A panel whose inner edge can be dragged, or moved with arrows. */
export function SplitPanel(props: SplitPanelProps) {
  const { side, size, children, className } = props;
  const wide = side === "left" || side === "right";
  return (
    <aside
      aria-label={`${side} side`}
      className={classes(styles.panel, styles[side], className)}
      style={wide ? { width: size } : { height: size }}
    >
      {children}
      <Splitter {...props} />
    </aside>
  );
}

const STEP = 16;

/** The edge itself; it fills the edge of what it is in. */
export function Splitter({
  side,
  size,
  min,
  max,
  onSize,
  label,
}: Omit<SplitPanelProps, "children">) {
  const drag = useRef<{ readonly at: number; readonly size: number; now: number } | null>(null);
  const upright = side === "left" || side === "right";
  const sign = side === "left" || side === "top" ? 1 : -1;
  const clamped = (next: number) => Math.round(Math.min(max, Math.max(min, next)));
  const place = (event: PointerEvent) => (upright ? event.clientX : event.clientY);
  const end = () => {
    const now = drag.current;
    drag.current = null;
    if (now && now.now !== now.size) onSize(now.now, true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (meansControl(event)) event.stopPropagation();
    const next = keyed(event, upright, sign, { size, min, max });
    if (next === null) return;
    event.preventDefault();
    onSize(clamped(next), true);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      role="separator"
      tabIndex={0}
      aria-label={`Size of ${label}`}
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-valuenow={size}
      aria-valuemin={min}
      aria-valuemax={max}
      className={styles.edge}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.setPointerCapture?.(event.pointerId);
        drag.current = { at: place(event), size, now: size };
      }}
      onPointerMove={(event) => {
        const now = drag.current;
        if (!now) return;
        now.now = clamped(now.size + sign * (place(event) - now.at));
        onSize(now.now, false);
      }}
      onPointerUp={end}
      onPointerCancel={end}
    />
  );
}

interface Sizes {
  readonly size: number;
  readonly min: number;
  readonly max: number;
}

/** The size that a key asks for; null if it asks for none. */
function keyed(event: KeyboardEvent, upright: boolean, sign: number, sizes: Sizes): number | null {
  const more = upright ? "ArrowRight" : "ArrowDown";
  const less = upright ? "ArrowLeft" : "ArrowUp";
  if (event.key === more) return sizes.size + sign * STEP;
  if (event.key === less) return sizes.size - sign * STEP;
  if (event.key === "Home") return sizes.min;
  return event.key === "End" ? sizes.max : null;
}
