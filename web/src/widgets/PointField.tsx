/** A place, typed or picked on a pad. */

import type { Json } from "../doc/types";
import { Icon } from "../ui/icons";
import { keepControlKeys } from "../ui/keys";
import { Popover } from "../ui/Popover";
import { controlProps, type FieldProps } from "./field_props";
import { PartField } from "./PartField";
import styles from "./PointField.module.css";
import { usePad } from "./usePad";

const numberOr = (value: Json | undefined, other: number): number =>
  typeof value === "number" && Number.isFinite(value) ? value : other;

export function PointField(props: FieldProps) {
  const { port, value, onChange, disabled, label } = props;
  const [x, y] = Array.isArray(value) ? (value as readonly Json[]) : [];
  const at = [numberOr(x, 0), numberOr(y, 0)] as const;
  const [min, max] = [numberOr(port.options.min, 0), numberOr(port.options.max, 1)];
  const step = numberOr(port.options.step, 0.01);
  const give = (next: readonly [number, number], done: boolean) => onChange(next, done);
  const shared = { field: props, min, max, step };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset brings a frame of its own
    <div {...controlProps(props)} role="group" className={styles.point}>
      <PartField
        {...shared}
        part="x"
        label={`x of ${label}`}
        value={at[0]}
        onPart={(to, done) => give([to, at[1]], done)}
      />
      <PartField
        {...shared}
        part="y"
        label={`y of ${label}`}
        value={at[1]}
        onPart={(to, done) => give([at[0], to], done)}
      />
      <Popover
        label={`Pick ${label}`}
        align="end"
        className={styles.popover}
        trigger={
          <button
            type="button"
            className={styles.open}
            aria-label={`Pick ${label}`}
            disabled={disabled}
            onKeyDown={keepControlKeys}
          >
            <Icon name="frame" size={14} />
          </button>
        }
      >
        <Pad at={at} min={min} max={max} step={step} label={label} give={give} />
      </Popover>
    </div>
  );
}

interface PadProps {
  readonly at: readonly [number, number];
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly label: string;
  readonly give: (next: readonly [number, number], done: boolean) => void;
}

function Pad({ at, min, max, step, label, give }: PadProps) {
  const round = (value: number) => Number((Math.round(value / step) * step).toPrecision(12));
  const pad = usePad(false, ([x, y], done) =>
    give([round(min + x * (max - min)), round(min + y * (max - min))], done),
  );
  const share = (value: number) => `${((value - min) / (max - min || 1)) * 100}%`;
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`Place of ${label}`}
      aria-valuenow={at[0]}
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuetext={`x ${at[0]}, y ${at[1]}`}
      className={styles.pad}
      {...pad}
      onKeyDown={(event) => {
        const by = event.shiftKey ? 10 * step : step;
        const ways: Readonly<Record<string, readonly [number, number]>> = {
          ArrowRight: [by, 0],
          ArrowLeft: [-by, 0],
          ArrowUp: [0, -by],
          ArrowDown: [0, by],
        };
        const way = ways[event.key];
        if (!way) return;
        event.preventDefault();
        const within = (value: number) => Math.min(max, Math.max(min, round(value)));
        give([within(at[0] + way[0]), within(at[1] + way[1])], true);
      }}
    >
      <span className={styles.dot} style={{ left: share(at[0]), top: share(at[1]) }} />
    </div>
  );
}
