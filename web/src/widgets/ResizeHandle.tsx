/** The edge at the foot of a field that gives it another height. */

import { type PointerEvent, useRef, useState } from "react";
import { RESIZED } from "../doc/fields";
import { meansControl } from "../ui/keys";
import type { FieldProps } from "./field_props";
import styles from "./ResizeHandle.module.css";

/** A height that a field may have, in whole pixels. */
export const heightWithin = (height: number, most: number = RESIZED.most): number =>
  Math.round(Math.min(most, Math.max(RESIZED.least, height)));

/** The edge of a field on the canvas whose height may be another; nothing elsewhere. */
export function FieldHeight({ label, place, disabled, context }: FieldProps) {
  if (place !== "node" || disabled || !context.resize) return null;
  return <ResizeHandle label={label} resize={context.resize} most={context.maxHeight} />;
}

interface ResizeHandleProps {
  /** Name of the field. */
  readonly label: string;
  readonly resize: (height: number, done?: boolean) => void;
  readonly most?: number | undefined;
}

interface Drag {
  readonly y: number;
  readonly height: number;
  readonly zoom: number;
  /** The height that the pointer led to; undefined while it has not moved. */
  last?: number;
}

function ResizeHandle({ label, resize, most = RESIZED.most }: ResizeHandleProps) {
  const [height, setHeight] = useState<number>(RESIZED.least);
  const drag = useRef<Drag | null>(null);
  const clamped = (height: number) => heightWithin(height, most);
  const start = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    const row = rowOf(event.currentTarget);
    // On a zoomed canvas a pixel of the screen is more or less than one of the field.
    const zoom = row.offsetHeight > 0 ? row.getBoundingClientRect().height / row.offsetHeight : 1;
    drag.current = { y: event.clientY, height: row.offsetHeight, zoom: zoom || 1 };
    event.currentTarget.setPointerCapture?.(event.pointerId);
  };
  const end = () => {
    const now = drag.current;
    if (now?.last !== undefined) resize(now.last, true);
    drag.current = null;
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={`Height of ${label}`}
      aria-valuenow={height}
      aria-valuemin={RESIZED.least}
      aria-valuemax={most}
      className={styles.handle}
      onFocus={(event) => setHeight(rowOf(event.currentTarget).offsetHeight)}
      onPointerDown={start}
      onPointerMove={(event) => {
        const now = drag.current;
        if (!now) return;
        now.last = clamped(now.height + (event.clientY - now.y) / now.zoom);
        resize(now.last, false);
      }}
      onPointerUp={end}
      onPointerCancel={end}
      onKeyDown={(event) => {
        if (meansControl(event)) event.stopPropagation();
        if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
        const now = rowOf(event.currentTarget).offsetHeight;
        const next = clamped(now + (event.key === "ArrowDown" ? 16 : -16));
        setHeight(next);
        resize(next);
      }}
    />
  );
}

/** The whole row: the label above the field is a part of its height. */
const rowOf = (handle: HTMLElement): HTMLElement =>
  handle.closest<HTMLElement>("[data-row]") ?? handle;
