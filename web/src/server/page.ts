/** The page that the editor runs in, as far as its connections must know: is it seen, does it wake. */

export interface Page {
  readonly hidden: boolean;
  /** Call once before the next picture is drawn; gives what calls it off. A hidden page draws none. */
  frame(call: () => void): () => void;
  /** Call when somebody comes back to the page, or the machine to the network. */
  onWake(call: () => void): () => void;
  /** Call when the page may be about to end; what is not begun then may never be. */
  onLeave(call: () => void): () => void;
}

export const realPage: Page = {
  get hidden() {
    return document.visibilityState === "hidden";
  },
  frame(call) {
    const id = requestAnimationFrame(call);
    return () => cancelAnimationFrame(id);
  },
  onWake(call) {
    const seen = () => {
      if (document.visibilityState === "visible") call();
    };
    return joined([
      listen(window, ["online", "offline", "pageshow", "focus"], call),
      listen(document, ["visibilitychange"], seen),
    ]);
  },
  onLeave(call) {
    const unseen = () => {
      if (document.visibilityState === "hidden") call();
    };
    return joined([
      listen(window, ["pagehide", "beforeunload"], call),
      listen(document, ["visibilitychange"], unseen),
    ]);
  },
};

/** For programs without a page. */
export const noPage: Page = {
  hidden: true,
  frame: () => () => {},
  onWake: () => () => {},
  onLeave: () => () => {},
};

function listen(target: EventTarget, names: readonly string[], call: () => void): () => void {
  for (const name of names) target.addEventListener(name, call);
  return () => {
    for (const name of names) target.removeEventListener(name, call);
  };
}

const joined = (stops: readonly (() => void)[]) => () => {
  for (const stop of stops) stop();
};
