import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { classes } from "./classes";
import { Icon, type IconName } from "./icons";
import styles from "./Tabs.module.css";

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName | undefined;
  /** A count or the like after the label. */
  readonly badge?: ReactNode;
}

interface TabsProps {
  readonly tabs: readonly Tab[];
  readonly value: string;
  readonly onChange: (id: string) => void;
  /** Accessible name of the row. */
  readonly label: string;
  /** What the chosen tab shows. */
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

/** Pages of one place; arrows walk the tabs. */
export function Tabs({ tabs, value, onChange, label, children, className }: TabsProps) {
  return (
    <Radix.Root className={classes(styles.tabs, className)} value={value} onValueChange={onChange}>
      <Radix.List className={styles.list} aria-label={label} onKeyDown={(e) => e.stopPropagation()}>
        {tabs.map((tab) => (
          <Radix.Trigger key={tab.id} value={tab.id} className={styles.tab}>
            {tab.icon && <Icon name={tab.icon} size={14} />}
            {tab.label}
            {tab.badge}
          </Radix.Trigger>
        ))}
      </Radix.List>
      <Radix.Content value={value} className={styles.page}>
        {children}
      </Radix.Content>
    </Radix.Root>
  );
}
