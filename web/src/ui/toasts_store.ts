/** The few messages that float over the page. */

export type ToastKind = "info" | "success" | "warning" | "error";

export interface Toast {
  readonly id: number;
  readonly kind: ToastKind;
  /** A sentence. */
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

export interface Toasts {
  readonly list: () => readonly Toast[];
  readonly subscribe: (listener: () => void) => () => void;
  readonly show: (toast: Omit<Toast, "id">) => number;
  readonly dismiss: (id: number) => void;
}

/** So many at a time; of errors, which nobody may miss, more than can come of one cause. */
const MOST = 4;
const MOST_ERRORS = 12;

/** Keeps toasts. The same sentence again takes the place of the former; errors outlive the rest. */
export function createToasts(): Toasts {
  let toasts: readonly Toast[] = [];
  let count = 0;
  const listeners = new Set<() => void>();
  const set = (next: readonly Toast[]) => {
    toasts = next;
    for (const listener of listeners) listener();
  };
  return {
    list: () => toasts,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    show(toast) {
      count += 1;
      const next = [...toasts.filter((one) => one.text !== toast.text), { ...toast, id: count }];
      while (next.length > MOST) {
        const mild = next.findIndex((one) => one.kind !== "error");
        if (mild < 0 && next.length <= MOST_ERRORS) break;
        next.splice(Math.max(0, mild), 1);
      }
      set(next);
      return count;
    },
    dismiss: (id) => set(toasts.filter((one) => one.id !== id)),
  };
}
