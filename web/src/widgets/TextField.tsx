/** A line of text. */

import { keepTextKeys } from "../ui/keys";
import styles from "./Field.module.css";
import { controlProps, type FieldProps } from "./field_props";
import { useTyping } from "./useTyping";

export function TextField(props: FieldProps) {
  const { value, onChange, disabled } = props;
  const typing = useTyping(onChange);
  const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  return (
    <input
      {...controlProps(props)}
      type="text"
      className={styles.text}
      autoComplete="off"
      spellCheck={false}
      disabled={disabled}
      value={text}
      onChange={(event) => typing.type(event.target.value)}
      onBlur={typing.end}
      onKeyDown={(event) => {
        keepTextKeys(event);
        if (event.key === "Enter") typing.end();
      }}
    />
  );
}
