/** A colour, typed as a name or hex, or picked. */

import { useState } from "react";
import { keepTextKeys } from "../ui/keys";
import { Popover } from "../ui/Popover";
import styles from "./ColourField.module.css";
import { ColourPicker } from "./ColourPicker";
import { hexOf } from "./colours";
import field from "./Field.module.css";
import { controlProps, type FieldProps } from "./field_props";
import { useTyping } from "./useTyping";

export function ColourField(props: FieldProps) {
  const { value, onChange, disabled, label } = props;
  const text = typeof value === "string" ? value : "";
  const typing = useTyping(onChange);
  const [touched, setTouched] = useState(false);
  const hex = hexOf(text);
  const common = controlProps(props);
  const wrong = hex === null && touched;
  return (
    <div className={styles.colour}>
      <Popover
        label={`Pick ${label}`}
        className={styles.popover}
        trigger={
          <button
            type="button"
            className={styles.swatch}
            aria-label={`Pick ${label}`}
            disabled={disabled}
          >
            <span style={{ backgroundColor: hex ?? "transparent" }} />
          </button>
        }
      >
        <ColourPicker hex={hex ?? "#ffffff"} label={label} onChange={onChange} />
      </Popover>
      <input
        {...common}
        type="text"
        className={field.text}
        aria-invalid={wrong ? true : common["aria-invalid"]}
        title={wrong ? "A colour is a name as of CSS, or #rrggbb." : undefined}
        autoComplete="off"
        spellCheck={false}
        disabled={disabled}
        value={text}
        onChange={(event) => typing.type(event.target.value)}
        onBlur={() => {
          setTouched(true);
          typing.end();
        }}
        onKeyDown={(event) => {
          keepTextKeys(event);
          if (event.key === "Enter") typing.end();
        }}
      />
    </div>
  );
}
