import type { ComponentProps } from "react";
import styles from "./Button.module.css";
import { classes } from "./classes";
import { Icon, type IconName } from "./icons";
import { Kbd } from "./Kbd";
import { ariaKeys } from "./keys";
import { Tooltip } from "./Tooltip";

type ButtonLook = "plain" | "primary" | "danger" | "quiet";

interface ButtonProps extends ComponentProps<"button"> {
  readonly look?: ButtonLook | undefined;
  readonly icon?: IconName | undefined;
  /** The shortcut, shown beside the text. */
  readonly keys?: string | undefined;
}

/** A button with a text. */
export function Button({ look = "plain", icon, keys, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      aria-keyshortcuts={keys ? ariaKeys(keys) : undefined}
      className={classes(styles.button, styles[look], className)}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
      {keys && <Kbd keys={keys} />}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<"button"> {
  readonly icon: IconName;
  /** Its accessible name, and its tooltip. */
  readonly label: string;
  readonly keys?: string | undefined;
  /** Makes it a toggle. */
  readonly pressed?: boolean | undefined;
  readonly small?: boolean | undefined;
  readonly look?: ButtonLook | undefined;
  readonly side?: "top" | "right" | "bottom" | "left" | undefined;
}

/** A button that is an icon; its name and its shortcut show when pointed at. */
export function IconButton(props: IconButtonProps) {
  const { icon, label, keys, pressed, small, look = "quiet", side, className, ...rest } = props;
  return (
    <Tooltip text={label} keys={keys} side={side}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={pressed}
        aria-keyshortcuts={keys ? ariaKeys(keys) : undefined}
        className={classes(
          styles.button,
          styles.square,
          small && styles.small,
          styles[look],
          className,
        )}
        {...rest}
      >
        <Icon name={icon} size={small ? 14 : 16} />
      </button>
    </Tooltip>
  );
}
