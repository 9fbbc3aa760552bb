/** The line to the server, once there is one: for those who do not want to wait for it. */

import type { Watch } from "./socket";

export interface Line {
  /** Ask whether the server is there, at once. */
  tryNow(): Promise<boolean>;
  attach(watch: Watch): void;
}

export function makeLine(): Line {
  let watch: Watch | null = null;
  return {
    tryNow: async () => (await watch?.tryNow()) ?? false,
    attach(next) {
      watch = next;
    },
  };
}
