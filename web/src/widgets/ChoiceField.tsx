/** One of a few values. */

import { choicesOf, coreSchema } from "../doc/fields";
import type { Json } from "../doc/types";
import { type Option, Select } from "../ui/Select";
import { controlProps, type FieldProps } from "./field_props";

const textOf = (choice: Json): string =>
  typeof choice === "string" ? choice : JSON.stringify(choice);

export function ChoiceField(props: FieldProps) {
  const { port, value, onChange, disabled, label } = props;
  // null is what "not set" means, and no choice.
  const choices = choicesOf(coreSchema(port.schema ?? {})).filter((choice) => choice !== null);
  const options: Option[] = choices.map((choice) => ({
    value: JSON.stringify(choice),
    label: textOf(choice),
  }));
  const key = JSON.stringify(value);
  if (value !== null && !options.some((option) => option.value === key)) {
    const problem = `${textOf(value)} is no choice of ${label}.`;
    options.unshift({ value: key, label: textOf(value), problem });
  }
  return (
    <Select
      {...controlProps(props)}
      label={label}
      options={options}
      value={key}
      disabled={disabled}
      onChange={(next) => onChange(JSON.parse(next) as Json, true)}
    />
  );
}
