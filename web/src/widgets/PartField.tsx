/** One number of a value that has several, as the x of a point. */

import type { FieldProps } from "./field_props";
import { NumberField } from "./NumberField";

interface PartFieldProps {
  /** The field that it is a part of. */
  readonly field: FieldProps;
  readonly part: string;
  readonly label: string;
  readonly value: number;
  readonly min?: number | null | undefined;
  readonly max?: number | null | undefined;
  readonly step?: number | undefined;
  readonly onPart: (value: number, done: boolean) => void;
}

export function PartField(props: PartFieldProps) {
  const { field, part, label, value, min = 0, max = 1, step = 0.01, onPart } = props;
  const port = {
    ...field.port,
    type: "float",
    schema: {
      type: "number",
      ...(min === null ? {} : { minimum: min }),
      ...(max === null ? {} : { maximum: max }),
    },
    options: { step },
  };
  return (
    <NumberField
      {...field}
      port={port}
      id={`${field.id}/${part}`}
      label={label}
      problem={null}
      value={value}
      onChange={(next, done = true) => {
        if (typeof next === "number") onPart(next, done);
      }}
    />
  );
}
