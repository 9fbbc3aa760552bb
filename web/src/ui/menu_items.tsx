/** What a menu holds, as data; Menu, MenuAt and ContextMenu draw the same. */

import { ContextMenu as Context, DropdownMenu as Dropdown } from "radix-ui";
import { classes } from "./classes";
import { Icon, type IconName } from "./icons";
import { Kbd } from "./Kbd";
import { ariaKeys } from "./keys";
import styles from "./Menu.module.css";

export interface MenuAction {
  readonly label: string;
  readonly keys?: string | undefined;
  readonly icon?: IconName | undefined;
  readonly run?: (() => void) | undefined;
  readonly disabled?: boolean | undefined;
  readonly danger?: boolean | undefined;
  /** Given, the item is one that is on or off. */
  readonly checked?: boolean | undefined;
  readonly submenu?: readonly MenuItem[] | undefined;
  /** A few muted words after the label. */
  readonly hint?: string | undefined;
}

interface MenuHeading {
  readonly heading: string;
}

export type MenuItem = MenuAction | MenuHeading | "separator";

/** Both menus of radix have the same parts, of the same types. */
export const PARTS = { dropdown: Dropdown, context: Context } as const;
type MenuParts = (typeof PARTS)[keyof typeof PARTS];

interface EntriesProps {
  readonly items: readonly MenuItem[];
  readonly parts: MenuParts;
}

const textOf = (item: MenuItem): string =>
  item === "separator" ? "-" : "heading" in item ? `# ${item.heading}` : item.label;

/** Items with keys that stay while items of other names come and go. */
function keyed(items: readonly MenuItem[]): { readonly key: string; readonly item: MenuItem }[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const text = textOf(item);
    const count = (seen.get(text) ?? 0) + 1;
    seen.set(text, count);
    return { key: `${text} ${count}`, item };
  });
}

export function MenuEntries({ items, parts }: EntriesProps) {
  const Parts = parts as typeof Dropdown;
  return keyed(items).map(({ key, item }) => {
    if (item === "separator") return <Parts.Separator key={key} className={styles.separator} />;
    if ("heading" in item) {
      return (
        <Parts.Label key={key} className={styles.heading}>
          {item.heading}
        </Parts.Label>
      );
    }
    return <MenuEntry key={key} item={item} parts={parts} />;
  });
}

function MenuEntry({ item, parts }: { readonly item: MenuAction; readonly parts: MenuParts }) {
  const Parts = parts as typeof Dropdown;
  const className = classes(styles.item, item.danger && styles.danger);
  const disabled = item.disabled ?? false;
  if (item.submenu) {
    return (
      <Parts.Sub>
        <Parts.SubTrigger className={className} disabled={disabled}>
          <EntryBody item={item} />
          <Icon name="chevron-right" size={14} className={styles.more} />
        </Parts.SubTrigger>
        <Parts.Portal>
          <Parts.SubContent className={styles.menu} collisionPadding={8} sideOffset={2}>
            <MenuEntries items={item.submenu} parts={parts} />
          </Parts.SubContent>
        </Parts.Portal>
      </Parts.Sub>
    );
  }
  const shared = {
    className,
    disabled,
    onSelect: () => item.run?.(),
    "aria-keyshortcuts": item.keys ? ariaKeys(item.keys) : undefined,
    textValue: item.label,
  };
  return item.checked === undefined ? (
    <Parts.Item {...shared}>
      <EntryBody item={item} />
    </Parts.Item>
  ) : (
    <Parts.CheckboxItem {...shared} checked={item.checked}>
      <EntryBody item={item} />
    </Parts.CheckboxItem>
  );
}

function EntryBody({ item }: { readonly item: MenuAction }) {
  const icon = item.checked ? "check" : item.icon;
  return (
    <>
      <span className={styles.icon}>{icon && <Icon name={icon} />}</span>
      <span className={styles.label}>{item.label}</span>
      {item.hint && <span className={styles.hint}>{item.hint}</span>}
      {item.keys && (
        <span className={styles.keys} aria-hidden="true">
          <Kbd keys={item.keys} />
        </span>
      )}
    </>
  );
}
