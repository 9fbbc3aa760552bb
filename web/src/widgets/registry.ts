/** The component of each kind of control. */

import type { ComponentType } from "react";
import type { FieldKind } from "../doc/fields";
import { ChoiceField } from "./ChoiceField";
import { ColourField } from "./ColourField";
import { CurveField } from "./CurveField";
import { FileField } from "./FileField";
import type { FieldProps } from "./field_props";
import { ImageField } from "./ImageField";
import { JsonField } from "./JsonField";
import { NumberField } from "./NumberField";
import { PluginField } from "./PluginField";
import { PointField } from "./PointField";
import { PromptField } from "./PromptField";
import { SeedField } from "./SeedField";
import { TextField } from "./TextField";
import { ToggleField } from "./ToggleField";

export const FIELDS: Readonly<Record<Exclude<FieldKind, "none">, ComponentType<FieldProps>>> = {
  number: NumberField,
  toggle: ToggleField,
  choice: ChoiceField,
  text: TextField,
  prompt: PromptField,
  seed: SeedField,
  colour: ColourField,
  file: FileField,
  image: ImageField,
  mask: ImageField,
  curve: CurveField,
  point: PointField,
  json: JsonField,
  plugin: PluginField,
};
