/** Any value, as JSON: for what has no control of its own. */

import { useState } from "react";
import type { Json } from "../doc/types";
import { classes } from "../ui/classes";
import { keepTextKeys } from "../ui/keys";
import styles from "./Field.module.css";
import { controlProps, type FieldProps, sourceSaid } from "./field_props";
import { useTyping } from "./useTyping";

function parsed(text: string): { readonly value: Json } | { readonly fault: string } {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { fault: `This is no JSON: ${(error as Error).message}.` };
  }
}

export function JsonField(props: FieldProps) {
  const { value, onChange, disabled, place, id } = props;
  const typing = useTyping(onChange);
  const [draft, setDraft] = useState<string | null>(null);
  const compact = place === "node";
  // What a wire brings instead of nothing is no null.
  const blank = disabled && value === null;
  const shown = draft ?? (blank ? "" : JSON.stringify(value, null, compact ? 0 : 2));
  const found = draft === null ? null : parsed(draft);
  const fault = found && "fault" in found ? found.fault : null;
  const common = controlProps(props);
  return (
    <>
      <textarea
        {...common}
        className={classes(styles.text, styles.mono, compact && styles.line)}
        aria-invalid={fault ? true : common["aria-invalid"]}
        aria-describedby={fault ? `${id}-fault` : common["aria-describedby"]}
        title={fault ?? undefined}
        rows={compact ? 1 : 4}
        spellCheck={false}
        disabled={disabled}
        placeholder={sourceSaid(props)}
        value={shown}
        onKeyDown={keepTextKeys}
        onChange={(event) => {
          setDraft(event.target.value);
          const next = parsed(event.target.value);
          if ("value" in next) typing.type(next.value);
        }}
        onBlur={() => {
          typing.end();
          if (!fault) setDraft(null);
        }}
      />
      {fault && (
        <span id={`${id}-fault`} role="status" className={styles.fault}>
          {fault}
        </span>
      )}
    </>
  );
}
