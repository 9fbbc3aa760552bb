import { DropdownMenu } from "radix-ui";
import { type ReactNode, useRef } from "react";
import styles from "./Menu.module.css";
import { MenuEntries, type MenuItem, PARTS } from "./menu_items";

export type { MenuAction, MenuItem } from "./menu_items";

type Stoppable = { stopPropagation(): void };
const stop = (event: Stoppable) => event.stopPropagation();

interface MenuProps {
  /** The button that opens it: one element that takes a ref and handlers. */
  readonly trigger: ReactNode;
  readonly items: readonly MenuItem[];
  readonly align?: "start" | "center" | "end" | undefined;
  readonly side?: "top" | "right" | "bottom" | "left" | undefined;
  readonly onOpenChange?: ((open: boolean) => void) | undefined;
}

/** A menu below a button. */
export function Menu({
  trigger,
  items,
  align = "start",
  side = "bottom",
  onOpenChange,
}: MenuProps) {
  return (
    <DropdownMenu.Root {...(onOpenChange ? { onOpenChange } : {})}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={styles.menu}
          align={align}
          side={side}
          sideOffset={4}
          collisionPadding={8}
          onKeyDown={stop}
        >
          <MenuEntries items={items} parts={PARTS.dropdown} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuAtProps {
  /** Where on the screen (clientX, clientY); null while there is none. */
  readonly at: { readonly x: number; readonly y: number } | null;
  readonly items: readonly MenuItem[];
  readonly onClose: () => void;
  /** Accessible name. */
  readonly label?: string | undefined;
}

/**
 * A menu at a point of the screen: one for all that a canvas holds, where a ContextMenu for each node
 * would cost too much. Focus goes back to where it was.
 */
export function MenuAt({ at, items, onClose, label = "Menu" }: MenuAtProps) {
  const back = useRef<Element | null>(null);
  if (!at) return null;
  return (
    <DropdownMenu.Root
      key={`${at.x} ${at.y}`}
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <DropdownMenu.Trigger asChild>
        <span
          className={styles.point}
          style={{ left: at.x, top: at.y }}
          ref={() => {
            back.current ??= document.activeElement;
          }}
        />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={styles.menu}
          aria-label={label}
          align="start"
          sideOffset={0}
          collisionPadding={8}
          onKeyDown={stop}
          onContextMenu={(event) => event.preventDefault()}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            giveBack(back.current);
            back.current = null;
          }}
        >
          <MenuEntries items={items} parts={PARTS.dropdown} />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** Focus what had it, unless something else has taken it meanwhile. */
export function giveBack(element: Element | null): void {
  const taken = document.activeElement;
  if (taken && taken !== document.body && !taken.closest("[role=menu],[role=dialog]")) return;
  if (element instanceof HTMLElement && element.isConnected) element.focus({ preventScroll: true });
}
