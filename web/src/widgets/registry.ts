/** The component of each kind of control. */

import type { ComponentType } from "react";
import type { FieldKind } from "../doc/fields";
import { ChoiceField } from "./ChoiceField";
import { ColourField } from "./ColourField";
import { FileField } from "./FileField";
import type { FieldProps } from "./field_props";
import { ImageField } from "./ImageField";
import { JsonField } from "./JsonField";
import { NumberField } from "./NumberField";
import { PluginField } from "./PluginField";
import { PromptField } from "./PromptField";
import { SeedField } from "./SeedField";
import { TextField } from "./TextField";
import { ToggleField } from "./ToggleField";

export const FIELDS: Readonly<Partial<Record<FieldKind, ComponentType<FieldProps>>>> = {
  number: NumberField,
  toggle: ToggleField,
  choice: ChoiceField,
  text: TextField,
  prompt: PromptField,
  seed: SeedField,
  colour: ColourField,
  file: FileField,
  image: ImageField,
  json: JsonField,
  plugin: PluginField,
};
