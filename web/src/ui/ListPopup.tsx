/** A list to choose from, in a popup: the inside of Select, and of fields that choose files. */

import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { classes } from "./classes";
import { Icon } from "./icons";
import styles from "./ListPopup.module.css";
import { makeTyping, type Option, SHOWN, sayingsOf, search, typedTo } from "./options";
import { Popup } from "./Popover";

interface ListPopupProps {
  readonly id: string;
  readonly anchor: HTMLElement | null;
  readonly label: string;
  readonly options: readonly Option[];
  readonly value: string | null;
  readonly onChoose: (value: string) => void;
  readonly onClose: () => void;
  /** Whether there is a box to search in. */
  readonly searched: boolean;
  /** Buttons below the list. */
  readonly footer?: ReactNode;
  readonly empty?: string | undefined;
}

export function ListPopup(props: ListPopupProps) {
  const { id, anchor, label, options, value, onChoose, onClose, searched, footer } = props;
  const [text, setText] = useState("");
  const found = searched ? search(options, text) : options;
  const shown = found.slice(0, Math.max(SHOWN, selectedIndex(found, value) + 1));
  const [active, setActive] = useState(() => Math.max(0, selectedIndex(options, value)));
  const list = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLInputElement>(null);
  const typing = useRef(makeTyping());
  const optionId = useId();

  useEffect(() => {
    list.current?.querySelector(`[data-index="${active}"]`)?.scrollIntoView?.({ block: "nearest" });
  }, [active]);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(event.key, active, shown, searched);
    if (next !== null) {
      event.preventDefault();
      setActive(next);
    } else if (event.key === "Enter" || event.key === "Tab" || (event.key === " " && !searched)) {
      event.preventDefault();
      const option = shown[active];
      if (option && !option.disabled) onChoose(option.value);
    } else if (!searched && event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      const index = typedTo(shown, typing.current(event.key, event.timeStamp), active);
      if (index >= 0) setActive(index);
    }
  };
  const keyed = {
    "aria-activedescendant": shown.length > 0 ? `${optionId}${active}` : undefined,
    onKeyDown,
  };
  return (
    <Popup anchor={anchor} onClose={onClose} focus={() => (searched ? box.current : list.current)}>
      {searched && (
        <SearchBox
          box={box}
          list={id}
          label={label}
          text={text}
          onText={(next) => {
            setText(next);
            setActive(0);
          }}
          keyed={keyed}
        />
      )}
      <div
        ref={list}
        id={id}
        role="listbox"
        aria-label={label}
        className={styles.list}
        tabIndex={searched ? -1 : 0}
        {...(searched ? {} : keyed)}
      >
        {shown.map((option, index) => (
          <Row
            key={option.value}
            id={`${optionId}${index}`}
            index={index}
            option={option}
            active={index === active}
            selected={option.value === value}
            onPoint={() => setActive(index)}
            onChoose={onChoose}
          />
        ))}
      </div>
      {found.length > shown.length && (
        <p className={styles.note}>{`${found.length - shown.length} more; type to find them.`}</p>
      )}
      {found.length === 0 && (
        <p className={styles.note}>{text ? "Nothing is called so." : (props.empty ?? "Empty.")}</p>
      )}
      {footer && <div className={styles.footer}>{footer}</div>}
    </Popup>
  );
}

interface SearchBoxProps {
  readonly box: RefObject<HTMLInputElement | null>;
  /** Id of the list. */
  readonly list: string;
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly keyed: {
    readonly "aria-activedescendant": string | undefined;
    readonly onKeyDown: (event: KeyboardEvent) => void;
  };
}

function SearchBox({ box, list, label, text, onText, keyed }: SearchBoxProps) {
  return (
    <div className={styles.search}>
      <Icon name="search" size={14} />
      <input
        ref={box}
        role="combobox"
        aria-label={`Search ${label}`}
        aria-expanded="true"
        aria-controls={list}
        aria-autocomplete="list"
        placeholder="Search"
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => onText(event.target.value)}
        {...keyed}
      />
    </div>
  );
}

const selectedIndex = (options: readonly Option[], value: string | null): number =>
  options.findIndex((option) => option.value === value);

/** Where a key leads in the list; null if it leads nowhere. */
function moved(
  key: string,
  active: number,
  options: readonly Option[],
  searched: boolean,
): number | null {
  const last = options.length - 1;
  const within = (index: number) => Math.max(0, Math.min(last, index));
  if (key === "ArrowDown") return within(active + 1);
  if (key === "ArrowUp") return within(active - 1);
  if (key === "PageDown") return within(active + 10);
  if (key === "PageUp") return within(active - 10);
  if (searched) return null;
  if (key === "Home") return 0;
  return key === "End" ? within(last) : null;
}

interface RowProps {
  readonly id: string;
  readonly index: number;
  readonly option: Option;
  readonly active: boolean;
  readonly selected: boolean;
  readonly onPoint: () => void;
  readonly onChoose: (value: string) => void;
}

function Row({ id, index, option, active, selected, onPoint, onChoose }: RowProps) {
  const lines = [option.note, option.problem].filter(Boolean);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys go to the list, which is what has the focus
    // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant of the list points here
    <div
      id={id}
      role="option"
      aria-label={option.label}
      aria-describedby={option.hint || lines.length > 0 ? `${id}-said` : undefined}
      aria-selected={selected}
      aria-disabled={option.disabled || undefined}
      data-index={index}
      data-active={active || undefined}
      className={classes(styles.option, option.problem && styles.problem)}
      title={sayingsOf(option)}
      onPointerMove={onPoint}
      onClick={() => {
        if (!option.disabled) onChoose(option.value);
      }}
    >
      <span className={styles.mark}>
        {selected && <Icon name="check" size={14} />}
        {!selected && option.problem && <Icon name="warning" size={14} />}
      </span>
      <span className={styles.label}>{option.label}</span>
      <span id={`${id}-said`} className={styles.said}>
        {option.hint && <span className={styles.hint}>{option.hint}</span>}
        {lines.map((line) => (
          <span key={line} className={styles.line}>
            {line}
          </span>
        ))}
      </span>
    </div>
  );
}
