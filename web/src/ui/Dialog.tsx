import { AlertDialog as Alert, Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { Button } from "./Button";
import { classes } from "./classes";
import styles from "./Dialog.module.css";
import { giveBack } from "./Menu";

const FOCUSABLE = "input, textarea, select, button, a[href], [tabindex='0']";

/** What the focus begins on: what asks for it, else the first in the body, else the answers. */
const firstIn = (content: HTMLElement): HTMLElement | null =>
  content.querySelector<HTMLElement>("[data-autofocus]") ??
  content.querySelector<HTMLElement>(`[data-part=body] :is(${FOCUSABLE}):not(:disabled)`) ??
  content.querySelector<HTMLElement>(`[data-part=actions] :is(${FOCUSABLE}):not(:disabled)`);

/** Remembers what had the focus when a dialog opened, and gives it back when the dialog closes. */
function useFocusBack() {
  const back = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: (event: Event) => {
      back.current = document.activeElement;
      const content = event.currentTarget;
      const first = content instanceof HTMLElement ? firstIn(content) : null;
      if (!first) return;
      event.preventDefault();
      first.focus();
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      giveBack(back.current);
    },
  };
}

interface DialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  readonly description?: ReactNode;
  /** Buttons at the foot, the one that does it last. */
  readonly actions?: ReactNode;
  readonly size?: "small" | "medium" | "large" | "full" | undefined;
  /** Draw no title, for a palette; it still has its name. */
  readonly bare?: boolean | undefined;
  readonly children?: ReactNode;
}

/** A window over the page; Escape closes it and focus goes back to where it was. */
export function Dialog(props: DialogProps) {
  const {
    open,
    onOpenChange,
    title,
    description,
    actions,
    size = "medium",
    bare,
    children,
  } = props;
  const focus = useFocusBack();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={styles.overlay} />
        <Radix.Content
          className={classes(styles.dialog, styles[size])}
          onKeyDown={(event) => event.stopPropagation()}
          onEscapeKeyDown={(event) => {
            // What is edited inside ends first; radix hears of the key before it does.
            if (document.activeElement?.closest("[data-own-escape]")) event.preventDefault();
          }}
          onInteractOutside={(event) => {
            // Messages float over dialogs: whoever closes one has not turned away from the dialog.
            // It may have left the page already, so it bears the mark itself.
            const target = event.target instanceof Element ? event.target : null;
            if (target?.closest("[data-message]")) event.preventDefault();
          }}
          {...focus}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className={bare ? "visually-hidden" : styles.head}>
            <Radix.Title className={styles.title}>{title}</Radix.Title>
            {!bare && (
              <Radix.Close asChild>
                <Button look="quiet" icon="close" aria-label="Close" className={styles.close} />
              </Radix.Close>
            )}
          </div>
          {description && (
            <Radix.Description asChild className={styles.description}>
              <div>{description}</div>
            </Radix.Description>
          )}
          <div data-part="body" className={bare ? styles.bare : styles.body}>
            {children}
          </div>
          {actions && (
            <div data-part="actions" className={styles.actions}>
              {actions}
            </div>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export interface ConfirmProps {
  readonly open: boolean;
  readonly title: string;
  readonly description?: ReactNode;
  /** What the button that does it says: the verb, as "Delete 3 pictures". */
  readonly action: string;
  readonly cancel?: string | undefined;
  readonly danger?: boolean | undefined;
  readonly onAnswer: (yes: boolean) => void;
}

/** A question that must be answered; Escape is no, and the focus begins on no. */
export function Confirm(props: ConfirmProps) {
  const { open, title, description, action, cancel = "Cancel", danger, onAnswer } = props;
  const focus = useFocusBack();
  return (
    <Alert.Root
      open={open}
      onOpenChange={(next) => {
        if (!next) onAnswer(false);
      }}
    >
      <Alert.Portal>
        <Alert.Overlay className={styles.overlay} />
        <Alert.Content
          className={classes(styles.dialog, styles.small)}
          onKeyDown={(event) => event.stopPropagation()}
          {...focus}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className={styles.head}>
            <Alert.Title className={styles.title}>{title}</Alert.Title>
          </div>
          {description && (
            <Alert.Description asChild className={styles.description}>
              <div>{description}</div>
            </Alert.Description>
          )}
          <div data-part="actions" className={styles.actions}>
            <Alert.Cancel asChild>
              <Button>{cancel}</Button>
            </Alert.Cancel>
            <Button look={danger ? "danger" : "primary"} onClick={() => onAnswer(true)}>
              {action}
            </Button>
          </div>
        </Alert.Content>
      </Alert.Portal>
    </Alert.Root>
  );
}
