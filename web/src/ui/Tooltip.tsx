import { Tooltip as Radix } from "radix-ui";
import { createContext, type FocusEvent, type ReactNode, useContext } from "react";
import { Kbd } from "./Kbd";
import styles from "./Tooltip.module.css";

const Shared = createContext(false);

/** Around the page: once one tooltip shows, its neighbours show at once. */
export function TooltipProvider({ children }: { readonly children: ReactNode }) {
  return (
    <Shared.Provider value={true}>
      <Radix.Provider delayDuration={500} skipDelayDuration={300}>
        {children}
      </Radix.Provider>
    </Shared.Provider>
  );
}

/** Focus that was given back by a menu or a dialog after a click shows no tooltip. */
function onlySeen(event: FocusEvent<HTMLElement>): void {
  if (!event.currentTarget.matches(":focus-visible")) event.preventDefault();
}

interface TooltipProps {
  readonly text: ReactNode;
  readonly keys?: string | undefined;
  readonly side?: "top" | "right" | "bottom" | "left" | undefined;
  /** One element that takes a ref and handlers. */
  readonly children: ReactNode;
}

/** A few words on what is pointed at or focused. */
export function Tooltip({ text, keys, side = "bottom", children }: TooltipProps) {
  const tooltip = (
    <Radix.Root>
      <Radix.Trigger asChild onFocus={onlySeen}>
        {children}
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className={styles.tooltip} side={side} sideOffset={6} collisionPadding={8}>
          {text}
          {keys && <Kbd keys={keys} />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
  return useContext(Shared) ? tooltip : <TooltipProvider>{tooltip}</TooltipProvider>;
}
