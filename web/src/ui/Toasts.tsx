import { useEffect, useRef, useSyncExternalStore } from "react";
import { Button, IconButton } from "./Button";
import { Icon, type IconName } from "./icons";
import styles from "./Toasts.module.css";
import type { Toasts as Store, Toast, ToastKind } from "./toasts_store";

const ICON: Readonly<Record<ToastKind, IconName>> = {
  info: "info",
  success: "check",
  warning: "warning",
  error: "error",
};

/** How long a message stays that is no error. */
const STAYS = 6000;

interface ToastsProps {
  readonly toasts: Store;
}

/** The messages, in a corner. Errors stay until they are closed; the rest waits while pointed at. */
export function Toasts({ toasts }: ToastsProps) {
  const list = useSyncExternalStore(toasts.subscribe, toasts.list);
  return (
    // A dialog hides the rest of the page from screen readers, but nothing that is marked as live;
    // each message says itself how urgent it is.
    <section className={styles.toasts} aria-label="Messages" aria-live="off">
      {list.map((toast) => (
        <Message key={toast.id} toast={toast} onClose={() => toasts.dismiss(toast.id)} />
      ))}
    </section>
  );
}

function Message({ toast, onClose }: { readonly toast: Toast; readonly onClose: () => void }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const close = useRef(onClose);
  close.current = onClose;
  const stays = toast.kind === "error";
  const hold = () => clearTimeout(timer.current);
  const wait = () => {
    hold();
    if (!stays) timer.current = setTimeout(() => close.current(), STAYS);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the clock starts once for each message
  useEffect(() => {
    wait();
    return hold;
  }, [toast.id]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only waits while it is pointed at
    <div
      role={stays ? "alert" : "status"}
      className={styles.toast}
      data-message
      data-kind={toast.kind}
      onPointerEnter={hold}
      onPointerLeave={wait}
      onFocus={hold}
      onBlur={wait}
    >
      <Icon name={ICON[toast.kind]} className={styles.icon} />
      <span className={styles.text}>{toast.text}</span>
      {toast.action && (
        <Button
          look="quiet"
          className={styles.action}
          onClick={() => {
            toast.action?.run();
            onClose();
          }}
        >
          {toast.action.label}
        </Button>
      )}
      <IconButton icon="close" small label="Dismiss" onClick={onClose} />
    </div>
  );
}
