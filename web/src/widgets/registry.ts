/** The component of each kind of control. */

import type { ComponentType } from "react";
import type { FieldKind } from "../doc/fields";
import type { FieldProps } from "./field_props";

export const FIELDS: Readonly<Partial<Record<FieldKind, ComponentType<FieldProps>>>> = {};
