import { Slider as Radix } from "radix-ui";
import { classes } from "./classes";
import { keepControlKeys } from "./keys";
import styles from "./Slider.module.css";

interface SliderProps {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number | undefined;
  readonly label: string;
  /** `done` is false while it is dragged. */
  readonly onChange: (value: number, done: boolean) => void;
  readonly disabled?: boolean | undefined;
  /** The value in words, for screen readers. */
  readonly says?: string | undefined;
  readonly className?: string | undefined;
}

export function Slider(props: SliderProps) {
  const { value, min, max, step = 1, label, onChange, disabled = false, says, className } = props;
  return (
    <Radix.Root
      className={classes(styles.slider, "nodrag", className)}
      value={[value]}
      min={min}
      max={max}
      step={step}
      disabled={disabled}
      onValueChange={([next]) => next !== undefined && onChange(next, false)}
      onValueCommit={([next]) => next !== undefined && onChange(next, true)}
      onKeyDown={keepControlKeys}
    >
      <Radix.Track className={styles.track}>
        <Radix.Range className={styles.range} />
      </Radix.Track>
      <Radix.Thumb className={styles.thumb} aria-label={label} aria-valuetext={says} />
    </Radix.Root>
  );
}
