/** The control of an input, whatever its kind; what is off has a way to be set, and to be unset. */

import { type FieldKind, fieldKind } from "../doc/fields";
import type { Json } from "../doc/types";
import { classes } from "../ui/classes";
import { Icon } from "../ui/icons";
import { keepControlKeys } from "../ui/keys";
import styles from "./Field.module.css";
import { controlProps, type FieldProps, problemId } from "./field_props";
import { FIELDS } from "./registry";
import { takesNull, valueToSet } from "./values";

/** Those that show themselves that nothing is chosen. */
const SHOWS_NULL: ReadonlySet<FieldKind> = new Set(["json", "plugin", "image", "file", "mask"]);

export function Field(props: FieldProps) {
  const { port, value, problem, id, place } = props;
  const kind = fieldKind(port);
  if (kind === "none") return null;
  const Control = FIELDS[kind];
  const nullable = takesNull(port);
  const off = nullable && value === null && !SHOWS_NULL.has(kind);
  return (
    <div
      className={classes(styles.field, "nodrag")}
      data-kind={kind}
      data-place={place}
      data-invalid={problem ? true : undefined}
    >
      <div className={styles.row}>
        {off ? <SetButton {...props} kind={kind} /> : <Control {...props} />}
        {nullable && value !== null && !props.disabled && <UnsetButton {...props} />}
      </div>
      {problem && (
        <span id={problemId(id)} className={place === "node" ? "visually-hidden" : styles.problem}>
          {problem}
        </span>
      )}
    </div>
  );
}

function SetButton(props: FieldProps & { readonly kind: FieldKind }) {
  const { port, label, disabled, onChange, kind } = props;
  const set: Json = valueToSet(port, kind);
  return (
    <button
      type="button"
      {...controlProps(props)}
      className={styles.set}
      aria-label={`${label}: not set`}
      title="Not set: click to set a value"
      disabled={disabled}
      onKeyDown={keepControlKeys}
      onClick={() => onChange(set, true)}
    >
      <span>not set</span>
      <Icon name="plus" size={12} />
    </button>
  );
}

function UnsetButton({ label, onChange }: FieldProps) {
  return (
    <button
      type="button"
      className={styles.unset}
      aria-label={`Unset ${label}`}
      title="Unset"
      onKeyDown={keepControlKeys}
      onClick={() => onChange(null, true)}
    >
      <Icon name="close" size={12} />
    </button>
  );
}
