import { type ComponentProps, useId } from "react";
import { IconButton } from "./Button";
import { classes } from "./classes";
import { Icon } from "./icons";
import { keepTextKeys } from "./keys";
import styles from "./TextField.module.css";

interface TextFieldProps extends Omit<ComponentProps<"input">, "onChange" | "value"> {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly label: string;
  /** Draw the label above; else it is only the accessible name. */
  readonly labelled?: boolean | undefined;
  /** What is wrong with it, as a sentence. */
  readonly problem?: string | null | undefined;
}

/** A line of text with its label. */
export function TextField(props: TextFieldProps) {
  const { value, onChange, label, labelled, problem, className, ...rest } = props;
  const made = useId();
  const id = rest.id ?? made;
  return (
    <div className={classes(styles.field, className)}>
      {labelled && (
        <label className={styles.label} htmlFor={id}>
          {label}
        </label>
      )}
      <input
        type="text"
        autoComplete="off"
        spellCheck={false}
        {...rest}
        id={id}
        aria-label={labelled ? undefined : label}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        className={styles.input}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          rest.onKeyDown?.(event);
          keepTextKeys(event);
        }}
      />
      {problem && (
        <span id={`${id}-problem`} className={styles.problem}>
          {problem}
        </span>
      )}
    </div>
  );
}

interface SearchFieldProps extends Omit<ComponentProps<"input">, "onChange" | "value"> {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly label: string;
}

/** A box to search in; Escape empties it. */
export function SearchField({ value, onChange, label, className, ...rest }: SearchFieldProps) {
  return (
    <div className={classes(styles.search, className)}>
      <Icon name="search" size={14} />
      <input
        type="search"
        data-own-escape={value !== "" || undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={label}
        {...rest}
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          rest.onKeyDown?.(event);
          if (event.key === "Escape" && value !== "") {
            event.stopPropagation();
            onChange("");
          }
          keepTextKeys(event);
        }}
      />
      {value !== "" && (
        <IconButton icon="close" small label="Clear the search" onClick={() => onChange("")} />
      )}
    </div>
  );
}
