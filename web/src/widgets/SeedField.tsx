/** A seed: its number, a throw of the dice, and what becomes of it before each run. */

import type { SeedMode } from "../doc/types";
import { classes } from "../ui/classes";
import { Icon, type IconName } from "../ui/icons";
import { keepControlKeys } from "../ui/keys";
import { Menu, type MenuItem } from "../ui/Menu";
import type { FieldProps } from "./field_props";
import { NumberField } from "./NumberField";
import styles from "./SeedField.module.css";
import { limitsOf } from "./values";

const MODES: readonly {
  readonly mode: SeedMode;
  readonly icon: IconName;
  readonly says: string;
}[] = [
  { mode: "fixed", icon: "lock", says: "Keep this seed" },
  { mode: "increment", icon: "plus", says: "Add 1 before each run" },
  { mode: "random", icon: "refresh", says: "A new seed before each run" },
];

/** A random whole number between two, every one alike, exact up to 2^53 - 1. */
function randomWhole(least: number, most: number): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  const wide = (high % 2 ** 21) * 2 ** 32 + low;
  const span = most - least + 1;
  return least + (span > Number.MAX_SAFE_INTEGER ? wide : wide % span);
}

export function SeedField(props: FieldProps) {
  const { port, label, disabled, onChange, place } = props;
  const { min, max } = limitsOf(port);
  return (
    <div className={styles.seed}>
      <NumberField {...props} />
      <button
        type="button"
        className={styles.button}
        aria-label={`New ${label}`}
        title={`New ${label}`}
        disabled={disabled}
        onKeyDown={keepControlKeys}
        onClick={() => onChange(randomWhole(min ?? 0, max ?? Number.MAX_SAFE_INTEGER), true)}
      >
        <Icon name="dice" size={14} />
      </button>
      {place === "node" ? <ModeMenu {...props} /> : <ModeGroup {...props} />}
    </div>
  );
}

function ModeGroup({ label, disabled, context }: FieldProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset brings a frame of its own
    <div className={styles.modes} role="group" aria-label={`Before each run, ${label}`}>
      {MODES.map(({ mode, icon, says }) => (
        <button
          key={mode}
          type="button"
          className={classes(styles.button, context.seedMode === mode && styles.on)}
          aria-label={mode}
          aria-pressed={context.seedMode === mode}
          title={says}
          disabled={disabled}
          onKeyDown={keepControlKeys}
          onClick={() => context.setSeedMode(mode)}
        >
          <Icon name={icon} size={12} />
        </button>
      ))}
    </div>
  );
}

/** In a node card there is room for one button, as the number has up to 16 digits. */
function ModeMenu({ label, disabled, context }: FieldProps) {
  const now = MODES.find(({ mode }) => mode === context.seedMode) ?? MODES[0];
  const items: MenuItem[] = MODES.map(({ mode, says }) => ({
    label: mode,
    hint: says,
    checked: mode === context.seedMode,
    run: () => context.setSeedMode(mode),
  }));
  return (
    <Menu
      align="end"
      items={[{ heading: "Before each run" }, ...items]}
      trigger={
        <button
          type="button"
          className={classes(styles.button, context.seedMode !== "fixed" && styles.moves)}
          aria-label={`Before each run, ${label}: ${context.seedMode}`}
          title={now?.says}
          disabled={disabled}
          onKeyDown={keepControlKeys}
        >
          <Icon name={now?.icon ?? "lock"} size={14} />
        </button>
      }
    />
  );
}
