/** One setting, with the control that fits it. */

import { useEditor, useSettings } from "../editor";
import { Select } from "../ui/Select";
import { Switch } from "../ui/Switch";
import css from "./Panel.module.css";
import type { SettingRow } from "./setting_rows";

interface LineProps {
  readonly row: SettingRow;
  /** The dialog was opened for this one. */
  readonly meant: boolean;
}

export function SettingLine({ row, meant }: LineProps) {
  const about = `about-setting-${row.name}`;
  return (
    <div className={css.item} data-active={meant || undefined}>
      <div className={css.text}>
        {row.label}
        <div className={css.muted} id={about}>
          {row.about}
        </div>
      </div>
      <Control row={row} about={about} meant={meant} />
    </div>
  );
}

function Control({ row, about, meant }: LineProps & { readonly about: string }) {
  const { settings } = useEditor();
  const value = useSettings((state) => state.values[row.name]);
  const shared = { "aria-describedby": about, ...(meant && { "data-autofocus": true as const }) };
  if (row.choices) {
    return (
      <Select
        label={row.label}
        value={String(value)}
        options={row.choices.map((choice) => ({ value: choice, label: choice }))}
        onChange={(next) => settings.set({ [row.name]: next })}
        {...shared}
      />
    );
  }
  if (row.range) {
    const [least, most] = row.range;
    return (
      <input
        type="number"
        className={css.number}
        aria-label={row.label}
        min={least}
        max={most}
        value={Number(value)}
        onChange={(event) => {
          const next = Math.round(event.target.valueAsNumber);
          if (next >= least && next <= most) settings.set({ [row.name]: next });
        }}
        {...shared}
      />
    );
  }
  return (
    <Switch
      label={row.label}
      checked={value === true}
      onChange={(next) => settings.set({ [row.name]: next })}
      {...shared}
    />
  );
}
