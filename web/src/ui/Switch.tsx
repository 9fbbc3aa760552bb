import type { ComponentProps } from "react";
import { classes } from "./classes";
import { keepControlKeys } from "./keys";
import styles from "./Switch.module.css";

interface SwitchProps extends Omit<ComponentProps<"button">, "onChange"> {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  /** Accessible name. */
  readonly label: string;
}

/** On or off, at once. */
export function Switch({ checked, onChange, label, className, ...rest }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      className={classes(styles.track, className)}
      onKeyDown={keepControlKeys}
      onClick={() => onChange(!checked)}
      {...rest}
    >
      <span className={styles.thumb} />
    </button>
  );
}
