/** Saturation and brightness in a square, the hue in a strip below. */

import { type KeyboardEvent, useState } from "react";
import styles from "./ColourPicker.module.css";
import { type Hsv, hexOfHsv, hsvOf } from "./colours";
import type { FieldProps } from "./field_props";
import { usePad } from "./usePad";

interface PickerProps {
  readonly hex: string;
  readonly label: string;
  readonly onChange: FieldProps["onChange"];
}

const within = (value: number, most = 1) => Math.min(most, Math.max(0, value));

export function ColourPicker({ hex, label, onChange }: PickerProps) {
  const [kept, setKept] = useState<Hsv>(() => hsvOf(hex));
  // Grey has no hue and black no saturation: the kept ones hold as long as they give this colour.
  const hsv = hexOfHsv(kept) === hex.slice(0, 7) ? kept : hsvOf(hex);
  const give = (next: Hsv, done: boolean) => {
    setKept(next);
    // An alpha that was typed stays.
    onChange(hexOfHsv(next) + hex.slice(7), done);
  };
  const square = usePad(false, ([x, y], done) => give({ ...hsv, s: x, v: 1 - y }, done));
  const strip = usePad(false, ([x], done) => give({ ...hsv, h: x * 359.9 }, done));
  const percent = (share: number) => Math.round(share * 100);
  return (
    <div className={styles.picker}>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`Saturation and brightness of ${label}`}
        aria-valuenow={percent(hsv.s)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`saturation ${percent(hsv.s)} %, brightness ${percent(hsv.v)} %`}
        className={styles.square}
        style={{ backgroundColor: hexOfHsv({ h: hsv.h, s: 1, v: 1 }) }}
        {...square}
        onKeyDown={(event) => {
          const [x, y] = arrow(event);
          if (x || y) give({ ...hsv, s: within(hsv.s + x), v: within(hsv.v + y) }, true);
        }}
      >
        <span
          className={styles.dot}
          style={{ left: `${hsv.s * 100}%`, top: `${(1 - hsv.v) * 100}%` }}
        />
      </div>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`Hue of ${label}`}
        aria-valuenow={Math.round(hsv.h)}
        aria-valuemin={0}
        aria-valuemax={360}
        className={styles.strip}
        {...strip}
        onKeyDown={(event) => {
          const [x, y] = arrow(event);
          if (x || y) give({ ...hsv, h: within(hsv.h + (x + y) * 100, 359.9) }, true);
        }}
      >
        <span className={styles.dot} style={{ left: `${(hsv.h / 360) * 100}%`, top: "50%" }} />
      </div>
    </div>
  );
}

/** What an arrow key adds to the right and up. */
function arrow(event: KeyboardEvent): readonly [number, number] {
  const by = event.shiftKey ? 0.1 : 0.01;
  const to: Readonly<Record<string, readonly [number, number]>> = {
    ArrowRight: [by, 0],
    ArrowLeft: [-by, 0],
    ArrowUp: [0, by],
    ArrowDown: [0, -by],
  };
  const found = to[event.key];
  if (found) event.preventDefault();
  return found ?? [0, 0];
}
