import { ContextMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";
import styles from "./Menu.module.css";
import { MenuEntries, type MenuItem, PARTS } from "./menu_items";

interface ContextMenuProps {
  readonly items: readonly MenuItem[];
  /** What it is about: one element that takes a ref and handlers. */
  readonly children: ReactNode;
  readonly onOpenChange?: ((open: boolean) => void) | undefined;
}

/** A menu on right click, long press, or the menu key. */
export function ContextMenu({ items, children, onOpenChange }: ContextMenuProps) {
  return (
    <Radix.Root {...(onOpenChange ? { onOpenChange } : {})}>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          className={styles.menu}
          collisionPadding={8}
          onKeyDown={(event) => event.stopPropagation()}
        >
          <MenuEntries items={items} parts={PARTS.context} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
