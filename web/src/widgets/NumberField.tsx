/** A number: drag it, step it, or type it, as a sum if wanted. */

import { formatNumber, type Limits } from "../doc/numbers";
import { classes } from "../ui/classes";
import field from "./Field.module.css";
import { controlProps, type FieldProps } from "./field_props";
import styles from "./NumberField.module.css";
import { useNumberInput } from "./useNumberInput";

export function NumberField(props: FieldProps) {
  const { disabled, id } = props;
  const { number, limits, draft, hint, handlers } = useNumberInput(props);
  const common = controlProps(props);
  const share = barOf(number, limits);
  return (
    <div
      className={classes(styles.number, draft !== null && styles.typing)}
      data-off={disabled || undefined}
    >
      {share !== null && <span className={styles.bar} style={{ width: `${share * 100}%` }} />}
      <input
        {...common}
        className={classes(field.text, styles.input)}
        role="spinbutton"
        inputMode="decimal"
        autoComplete="off"
        spellCheck={false}
        aria-valuenow={number}
        aria-valuetext={formatNumber(number)}
        aria-valuemin={limits.min ?? undefined}
        aria-valuemax={limits.max ?? undefined}
        aria-describedby={hint ? `${id}-hint` : common["aria-describedby"]}
        disabled={disabled}
        value={draft ?? formatNumber(number)}
        {...handlers}
      />
      <span id={`${id}-hint`} role="status" className={hint ? styles.hint : "visually-hidden"}>
        {hint}
      </span>
    </div>
  );
}

/** How full a number is between its limits, if they are near enough for that to say something. */
function barOf(value: number, { min, max }: Limits): number | null {
  if (min === null || max === null || max <= min || max - min > 1000) return null;
  return Math.min(1, Math.max(0, (value - min) / (max - min)));
}
