/** Which workflows other windows of this browser have open. */

type Message =
  | { readonly kind: "open"; readonly from: string; readonly paths: readonly string[] }
  | { readonly kind: "who"; readonly from: string };

export interface Presence {
  /** Tell the others what is open here. */
  tell(paths: readonly string[]): void;
  close(): void;
}

/** @param onChange Called with the paths that are open in any other window. */
export function makePresence(
  window: string,
  onChange: (elsewhere: ReadonlySet<string>) => void,
  channel: BroadcastChannel = new BroadcastChannel("nodeflow"),
): Presence {
  const others = new Map<string, readonly string[]>();
  let own: readonly string[] = [];
  const say = (message: Message) => channel.postMessage(message);
  const changed = () => onChange(new Set([...others.values()].flat()));
  const leave = () => say({ kind: "open", from: window, paths: [] });
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.from === window) return;
    if (data.kind === "who") say({ kind: "open", from: window, paths: own });
    else {
      others.set(data.from, data.paths);
      changed();
    }
  };
  say({ kind: "who", from: window });
  addEventListener("pagehide", leave);
  return {
    tell(paths) {
      own = paths;
      say({ kind: "open", from: window, paths });
    },
    close() {
      removeEventListener("pagehide", leave);
      leave();
      channel.close();
    },
  };
}
