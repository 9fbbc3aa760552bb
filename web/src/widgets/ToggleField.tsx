/** On or off. */

import { Switch } from "../ui/Switch";
import { controlProps, type FieldProps } from "./field_props";

export function ToggleField(props: FieldProps) {
  const { value, onChange, disabled, label } = props;
  return (
    <Switch
      {...controlProps(props)}
      label={label}
      checked={value === true}
      disabled={disabled}
      onChange={(checked) => onChange(checked, true)}
    />
  );
}
