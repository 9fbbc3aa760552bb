/** A field on its own, with a value that it changes, for tests. */

import { render } from "@testing-library/react";
import { useState } from "react";
import type { InputFace } from "../../src/doc/library";
import type { Json, JsonObject } from "../../src/doc/types";
import { Field } from "../../src/widgets/Field";
import type { FieldContext, FieldProps } from "../../src/widgets/field_props";

export const portOf = (schema: JsonObject, more: Partial<InputFace> = {}): InputFace => ({
  name: "steps",
  type: "any",
  required: false,
  default: null,
  schema,
  file: null,
  lazy: false,
  grows: false,
  optional: false,
  description: "",
  widget: null,
  options: {},
  ...more,
});

export const contextOf = (more: Partial<FieldContext> = {}): FieldContext => ({
  files: () => [],
  refreshFiles: () => undefined,
  upload: async (file) => file.name,
  inputUrl: (name) => `/api/inputs/${name}`,
  seedMode: "fixed",
  setSeedMode: () => undefined,
  openMask: null,
  resize: null,
  node: { id: "a", type: "pack.node" },
  plugin: null,
  ...more,
});

export interface Shown {
  /** Every value that the field gave, and whether it was the last of its burst. */
  readonly given: (readonly [Json, boolean])[];
  /** The value now. */
  readonly value: () => Json;
}

/** Draw a field; the keys that reach what it lies in are in `seen`. */
export function show(
  port: InputFace,
  start: Json,
  more: Partial<Omit<FieldProps, "context">> & { readonly context?: Partial<FieldContext> } = {},
  seen: string[] = [],
): Shown {
  const given: (readonly [Json, boolean])[] = [];
  let now = start;
  function Held() {
    const [value, setValue] = useState(start);
    return (
      // biome-ignore lint/a11y/noStaticElementInteractions: it stands for the canvas
      <div onKeyDown={(event) => seen.push(event.key)}>
        <Field
          port={port}
          value={value}
          id="a/steps"
          label={port.name}
          disabled={false}
          problem={null}
          place="node"
          {...more}
          context={contextOf(more.context)}
          onChange={(next, done = true) => {
            given.push([next, done]);
            now = next;
            setValue(next);
          }}
        />
      </div>
    );
  }
  render(<Held />);
  return { given, value: () => now };
}
