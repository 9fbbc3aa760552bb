/** What values an input may have, read from its schema. */

import { choicesOf, coreSchema, type FieldKind } from "../doc/fields";
import type { InputFace } from "../doc/library";
import type { Limits } from "../doc/numbers";
import type { Json, JsonObject } from "../doc/types";

/** Whether null is a value of the input: it can be off. */
export function takesNull(port: InputFace): boolean {
  const { schema } = port;
  if (!schema || !Array.isArray(schema.anyOf)) return false;
  return schema.anyOf.some((part) => (part as JsonObject | null)?.type === "null");
}

const asNumber = (value: Json | undefined): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** Bounds of a number as its schema gives them; a bound that is excluded is off by one step. */
export function limitsOf(port: InputFace): Limits {
  const schema = coreSchema(port.schema ?? {});
  const whole = schema.type === "integer" || port.type === "int";
  const step = asNumber(port.options.step) ?? asNumber(schema.multipleOf) ?? (whole ? 1 : null);
  const above = asNumber(schema.exclusiveMinimum);
  const below = asNumber(schema.exclusiveMaximum);
  const nudge = whole ? 1 : 1e-9;
  return {
    min: asNumber(schema.minimum) ?? (above === null ? null : above + nudge),
    max: asNumber(schema.maximum) ?? (below === null ? null : below - nudge),
    step,
    whole,
  };
}

/** The value that an input gets when it is switched on. */
export function valueToSet(port: InputFace, kind: FieldKind): Json {
  if (port.default !== null) return port.default;
  const core = coreSchema(port.schema ?? {});
  switch (kind) {
    case "number":
    case "seed": {
      const { min, max } = limitsOf(port);
      return Math.min(max ?? 0, Math.max(min ?? 0, 0));
    }
    case "toggle":
      return true;
    case "choice":
      return choicesOf(core).find((choice) => choice !== null) ?? null;
    case "colour":
      return "white";
    case "curve":
      return [
        [0, 0],
        [1, 1],
      ];
    case "point":
      return [0, 0];
    default:
      return core.type === "array" ? [] : core.type === "object" ? {} : "";
  }
}
