/** The theme's colours for what is painted, not styled. */

import type { Theme } from "../ui/tones";

export interface Ink {
  readonly theme: Theme;
  readonly node: string;
  readonly header: string;
  readonly line: string;
  /** Of what has no other colour, so that its shape is seen. */
  readonly shape: string;
  readonly text: string;
  readonly selection: string;
  readonly status: Readonly<Record<string, string>>;
}

let known: { theme: string | undefined; ink: Ink } | null = null;

/** Reading styles costs, so they are read once for each theme. */
export function inkOf(): Ink {
  const root = document.documentElement;
  if (known && known.theme === root.dataset.theme) return known.ink;
  const style = getComputedStyle(root);
  const read = (name: string) => style.getPropertyValue(name).trim() || "#888";
  const ink: Ink = {
    theme: root.dataset.theme === "light" ? "light" : "dark",
    node: read("--surface-node"),
    header: read("--surface-header"),
    line: read("--line-strong"),
    shape: read("--mark-shape"),
    text: read("--text"),
    selection: read("--mark-selection"),
    status: {
      running: read("--mark-running"),
      ran: read("--mark-success"),
      memory: read("--mark-success"),
      disk: read("--mark-success"),
      failed: read("--mark-danger"),
    },
  };
  known = { theme: root.dataset.theme, ink };
  return ink;
}
