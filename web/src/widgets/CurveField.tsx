/** A curve: its points are dragged, moved with arrows, or typed. */

import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { Json } from "../doc/types";
import { IconButton } from "../ui/Button";
import { meansControl } from "../ui/keys";
import styles from "./CurveField.module.css";
import { addPoint, type CurvePoint, curveOf, movePoint, removePoint } from "./curves";
import { controlProps, type FieldProps } from "./field_props";
import { PartField } from "./PartField";

export function CurveField(props: FieldProps) {
  const { value, onChange, disabled, label } = props;
  const curve = curveOf(value);
  const [wanted, setChosen] = useState(0);
  const chosen = Math.min(wanted, curve.length - 1);
  const give = (next: readonly CurvePoint[], done: boolean) => onChange(next as Json, done);
  const [x, y] = curve[chosen] ?? [0, 0];
  const move = (to: CurvePoint, done: boolean) => give(movePoint(curve, chosen, to), done);
  const remove = () => {
    give(removePoint(curve, chosen), true);
    setChosen(Math.max(0, chosen - 1));
  };
  const name = `point ${chosen + 1} of ${label}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset brings a frame of its own
    <div {...controlProps(props)} role="group" className={styles.curve}>
      <Plot {...{ curve, chosen, setChosen, give, remove, disabled, label }} />
      <div className={styles.typed}>
        <PartField
          field={props}
          part="x"
          label={`x of ${name}`}
          value={x}
          onPart={(to, done) => move([to, y], done)}
        />
        <PartField
          field={props}
          part="y"
          label={`y of ${name}`}
          value={y}
          onPart={(to, done) => move([x, to], done)}
        />
        <IconButton
          small
          icon="trash"
          label={`Remove ${name}`}
          disabled={disabled || curve.length <= 2}
          onClick={remove}
        />
      </div>
    </div>
  );
}

interface PlotProps {
  readonly curve: readonly CurvePoint[];
  readonly chosen: number;
  readonly setChosen: (index: number) => void;
  readonly give: (next: readonly CurvePoint[], done: boolean) => void;
  readonly remove: () => void;
  readonly disabled: boolean;
  readonly label: string;
}

/** Height of the drawing; its width is 100. */
const HIGH = 50;

function Plot({ curve, chosen, setChosen, give, remove, disabled, label }: PlotProps) {
  const held = useRef<number | null>(null);
  const last = useRef(curve);
  last.current = curve;
  const place = (event: PointerEvent<HTMLElement>): CurvePoint => {
    const box = event.currentTarget.getBoundingClientRect();
    return [
      (event.clientX - box.left) / (box.width || 1),
      1 - (event.clientY - box.top) / (box.height || 1),
    ];
  };
  const down = (event: PointerEvent<HTMLElement>) => {
    if (disabled || event.button !== 0) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture?.(event.pointerId);
    const grabbed = (event.target as HTMLElement).dataset.point;
    if (grabbed === undefined) {
      const made = addPoint(curve, place(event));
      held.current = made.index;
      give(made.curve, false);
    } else held.current = Number(grabbed);
    setChosen(held.current);
  };
  const moved = (event: PointerEvent<HTMLElement>, done: boolean) => {
    if (held.current === null) return;
    give(movePoint(last.current, held.current, place(event)), done);
    if (done) held.current = null;
  };
  return (
    <div
      className={styles.plot}
      data-off={disabled || undefined}
      onPointerDown={down}
      onPointerMove={(event) => moved(event, false)}
      onPointerUp={(event) => moved(event, true)}
      onPointerCancel={(event) => moved(event, true)}
    >
      <svg viewBox={`0 0 100 ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
        <path
          className={styles.rule}
          d={`M25 0V${HIGH}M50 0V${HIGH}M75 0V${HIGH}M0 ${HIGH / 2}H100`}
        />
        <path className={styles.line} d={pathOf(curve)} />
      </svg>
      {curve.map((point, index) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a point is known by its place in the order
          key={index}
          type="button"
          role="slider"
          aria-label={`Point ${index + 1} of ${label}`}
          aria-valuenow={point[1]}
          aria-valuemin={0}
          aria-valuemax={1}
          aria-valuetext={`x ${point[0]}, y ${point[1]}`}
          aria-current={index === chosen || undefined}
          disabled={disabled}
          data-point={index}
          className={styles.point}
          style={{ left: `${point[0] * 100}%`, top: `${(1 - point[1]) * 100}%` }}
          onFocus={() => setChosen(index)}
          onKeyDown={(event) => {
            const to = keyed(event, point);
            if (to) give(movePoint(curve, index, to), true);
            if (event.key === "Delete" || event.key === "Backspace") {
              event.stopPropagation();
              remove();
            }
          }}
        />
      ))}
    </div>
  );
}

/** The line through the points, level before the first and after the last. */
function pathOf(curve: readonly CurvePoint[]): string {
  const at = ([x, y]: CurvePoint) => `${x * 100} ${(1 - y) * HIGH}`;
  const first = curve[0] ?? [0, 0];
  const last = curve.at(-1) ?? first;
  return `M${[[0, first[1]] as const, ...curve, [1, last[1]] as const].map(at).join("L")}`;
}

function keyed(event: KeyboardEvent, [x, y]: CurvePoint): CurvePoint | null {
  if (meansControl(event)) event.stopPropagation();
  const by = event.shiftKey ? 0.1 : 0.01;
  const to: Readonly<Record<string, CurvePoint>> = {
    ArrowRight: [x + by, y],
    ArrowLeft: [x - by, y],
    ArrowUp: [x, y + by],
    ArrowDown: [x, y - by],
  };
  const found = to[event.key];
  if (found) event.preventDefault();
  return found ?? null;
}
