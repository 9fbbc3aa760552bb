import { Popover as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { classes } from "./classes";
import { giveBack } from "./Menu";
import styles from "./Popover.module.css";

interface PopoverProps {
  /** The button that opens it: one element that takes a ref and handlers. */
  readonly trigger: ReactNode;
  readonly label: string;
  readonly children: ReactNode;
  readonly open?: boolean | undefined;
  readonly onOpenChange?: ((open: boolean) => void) | undefined;
  readonly align?: "start" | "center" | "end" | undefined;
  readonly side?: "top" | "right" | "bottom" | "left" | undefined;
  readonly className?: string | undefined;
}

/** A small window beside what opened it; it stays beside it when the canvas moves. */
export function Popover(props: PopoverProps) {
  const { trigger, label, children, open, onOpenChange, className } = props;
  return (
    <Radix.Root
      {...(open === undefined ? {} : { open })}
      {...(onOpenChange ? { onOpenChange } : {})}
    >
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          className={classes(styles.popover, className)}
          aria-label={label}
          side={props.side ?? "bottom"}
          align={props.align ?? "start"}
          sideOffset={4}
          collisionPadding={8}
          updatePositionStrategy="always"
          onKeyDown={(event) => event.stopPropagation()}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface PopupProps {
  /** What it is beside. */
  readonly anchor: HTMLElement | null;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string | undefined;
  /** What gets the focus at first; else the first that can. */
  readonly focus?: (() => HTMLElement | null) | undefined;
}

/** A popover that is there as long as it is drawn: what is shut costs nothing. */
export function Popup({ anchor, onClose, children, className, focus }: PopupProps) {
  const virtual = useRef(anchor);
  virtual.current = anchor;
  return (
    <Radix.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Radix.Anchor virtualRef={virtual as { current: HTMLElement }} />
      <Radix.Portal>
        <Radix.Content
          role="presentation"
          className={classes(styles.popover, className)}
          align="start"
          sideOffset={2}
          collisionPadding={8}
          updatePositionStrategy="always"
          onOpenAutoFocus={(event) => {
            const first = focus?.();
            if (!first) return;
            event.preventDefault();
            first.focus({ preventScroll: true });
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            giveBack(anchor);
          }}
          onInteractOutside={(event) => {
            // The button that it belongs to closes it by itself.
            if (anchor?.contains(event.target as Node)) event.preventDefault();
          }}
          onKeyDown={(event) => event.stopPropagation()}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
