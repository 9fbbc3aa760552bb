/** What is open on the screen: panels, dialogs, and the line that says what happened. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { WireEnd } from "../doc/inputs";
import type { Socket } from "../doc/sockets";
import type { Item, LinkRef, Point } from "../doc/types";
import type { Problem } from "../server/api";
import type { Toast, ToastKind, Toasts } from "../ui/toasts_store";

export type LeftPanel = "library" | "outline" | "workflows";
export type RightPanel = "inspector" | "queue" | "history" | "gallery";

/** A wire that was let go over nothing, and waits for the node that it shall lead to. */
export interface Loose {
  readonly from: LinkRef | null;
  readonly to: (WireEnd & { readonly grows?: boolean }) | null;
  readonly type: string;
  readonly via: readonly string[];
}

/** A wire that is drawn by keys: where it begins, and the socket that they are at. */
export interface Wiring {
  readonly start: Socket;
  readonly aim: Socket | null;
}

export type Dialog =
  | { readonly kind: "palette" }
  | { readonly kind: "shortcuts" }
  /** `section` is the setting that is meant. */
  | { readonly kind: "settings"; readonly section?: string }
  | { readonly kind: "templates" }
  | { readonly kind: "save-as"; readonly tab: string }
  | { readonly kind: "rename"; readonly path: string }
  | { readonly kind: "close-tab"; readonly tab: string }
  | { readonly kind: "conflict"; readonly tab: string }
  | { readonly kind: "drafts" }
  | { readonly kind: "missing"; readonly tab: string }
  | {
      readonly kind: "unreadable";
      readonly name: string;
      readonly sentence: string;
      readonly problems: readonly Problem[];
    }
  | {
      readonly kind: "trace";
      readonly node: string;
      readonly sentence: string;
      readonly trace: string;
    }
  | { readonly kind: "mask"; readonly node: string; readonly input: string }
  | { readonly kind: "comment"; readonly node: string }
  | { readonly kind: "picture"; readonly digest: string }
  | { readonly kind: "group-name"; readonly group: string };

export interface UiState {
  readonly left: LeftPanel | null;
  readonly right: RightPanel | null;
  readonly dialog: Dialog | null;
  /** The search for nodes, open at a place of the canvas and of the screen. */
  readonly search: {
    readonly at: Point;
    readonly screen: Point;
    readonly loose: Loose | null;
    /** The node shall not lie on others; given where nobody pointed at its place. */
    readonly free?: boolean;
  } | null;
  /** The wire that is being drawn by keys. */
  readonly wiring: Wiring | null;
  readonly finding: boolean;
  /** The node or the frame whose title is being written. */
  readonly renaming: Item | null;
  /** The map is unfolded on a canvas that is too narrow to begin with it. */
  readonly map: boolean;
  /** The newest thing that happened, for the status line and for screen readers. */
  readonly status: string;
  /** What screen readers say at once, whatever they are saying; it is seen elsewhere. */
  readonly alert: string;
}

export interface Ui extends StoreApi<UiState> {
  /** Say what happened, in a sentence. */
  say(sentence: string): void;
  /** Have a screen reader say at once what the page already shows somewhere else. */
  warn(sentence: string): void;
  /** Show a message as well: errors until they are closed, the rest for a while. */
  toast(kind: ToastKind, sentence: string, action?: Toast["action"]): void;
  show(dialog: Dialog | null): void;
  toggleLeft(panel: LeftPanel): void;
  toggleRight(panel: RightPanel): void;
}

export function makeUi(toasts: Toasts): Ui {
  const store = createStore<UiState>(() => ({
    left: null,
    right: "gallery",
    dialog: null,
    search: null,
    wiring: null,
    finding: false,
    renaming: null,
    map: false,
    status: "",
    alert: "",
  }));
  const { setState: set } = store;
  return {
    ...store,
    say: (status) => set({ status }),
    warn: (alert) => set({ alert }),
    toast(kind, sentence, action) {
      set({ status: sentence });
      toasts.show({ kind, text: sentence, ...(action && { action }) });
    },
    show: (dialog) => set({ dialog }),
    toggleLeft: (panel) => set(({ left }) => ({ left: left === panel ? null : panel })),
    toggleRight: (panel) => set(({ right }) => ({ right: right === panel ? null : panel })),
  };
}
