import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { classes } from "./classes";
import { Icon } from "./icons";
import { keepControlKeys } from "./keys";
import { ListPopup } from "./ListPopup";
import { makeTyping, type Option, sayingsOf, typedTo } from "./options";
import styles from "./Select.module.css";

export type { Option } from "./options";

interface SelectProps {
  readonly value: string | null;
  readonly options: readonly Option[];
  readonly onChange: (value: string) => void;
  /** Accessible name. */
  readonly label: string;
  readonly id?: string | undefined;
  readonly disabled?: boolean | undefined;
  /** Whether the list has a box to search in; by default if it is long. */
  readonly searched?: boolean | undefined;
  readonly placeholder?: string | undefined;
  readonly empty?: string | undefined;
  readonly footer?: ReactNode;
  readonly className?: string | undefined;
  /** Leave out the sign of what is wrong with the chosen one, where something else shows it. */
  readonly unmarked?: boolean | undefined;
  readonly onOpen?: (() => void) | undefined;
  readonly "aria-invalid"?: true | undefined;
  readonly "aria-describedby"?: string | undefined;
  /** The focus of its dialog begins here. */
  readonly "data-autofocus"?: true | undefined;
}

/** Lists longer than this are searched. */
const LONG = 12;

/**
 * A list to choose one of. Letters choose without opening it, as in a native one.
 *
 * Shut it is one button, however long the list: a canvas shows hundreds.
 */
export function Select(props: SelectProps) {
  const {
    value,
    options,
    onChange,
    label,
    id,
    disabled,
    placeholder = "Choose",
    className,
  } = props;
  const { searched = options.length > LONG, footer, onOpen } = props;
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const listId = useId();
  const chosen = options.find((option) => option.value === value);
  const show = () => {
    onOpen?.();
    setOpen(true);
  };
  const onKeyDown = useShutKeys(options, value, onChange, show);
  return (
    <>
      <button
        ref={button}
        type="button"
        role="combobox"
        id={id}
        aria-label={label}
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-controls={open ? listId : undefined}
        aria-invalid={props["aria-invalid"]}
        aria-describedby={props["aria-describedby"]}
        data-autofocus={props["data-autofocus"]}
        disabled={disabled}
        title={chosen && sayingsOf(chosen)}
        className={classes(styles.select, className)}
        onKeyDown={onKeyDown}
        onClick={() => (open ? setOpen(false) : show())}
      >
        {chosen?.problem && !props.unmarked && (
          <Icon name="warning" size={14} className={styles.warning} />
        )}
        <span className={classes(styles.value, !chosen && styles.none)}>
          {chosen?.label ?? placeholder}
        </span>
        <Icon name="chevron-down" size={12} className={styles.arrow} />
      </button>
      {open && (
        <ListPopup
          id={listId}
          anchor={button.current}
          label={label}
          options={options}
          value={value}
          searched={searched}
          empty={props.empty}
          footer={footer}
          onClose={() => setOpen(false)}
          onChoose={(next) => {
            // At once: the popup gives the focus back a moment after it is gone.
            button.current?.focus({ preventScroll: true });
            setOpen(false);
            if (next !== value) onChange(next);
          }}
        />
      )}
    </>
  );
}

/** Keys on the button: arrows open the list, letters choose without it. */
function useShutKeys(
  options: readonly Option[],
  value: string | null,
  onChange: (value: string) => void,
  show: () => void,
) {
  const typing = useRef(makeTyping());
  return (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      show();
    } else if (/^[^ ]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.stopPropagation();
      const from = options.findIndex((option) => option.value === value);
      const to = options[typedTo(options, typing.current(event.key, event.timeStamp), from)];
      if (to) onChange(to.value);
    }
    keepControlKeys(event);
  };
}
