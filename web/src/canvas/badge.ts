/** What became of a node, as a badge: a word, an icon, and the reason for those who hover. */

import type { NodeRun } from "../store/runs";
import type { IconName } from "../ui/icons";

export interface Badge {
  readonly kind: "waiting" | "running" | "ran" | "cached" | "skipped" | "failed" | "cancelled";
  readonly icon: IconName;
  readonly text: string;
  readonly why: string;
}

/** `1.2 s`, `340 ms`, `3 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

const because = (why: string | undefined): string => (why ? `It ran because ${why}.` : "It ran.");

/** The badge of a node; null while nothing is known of it. */
export function badgeOf(run: NodeRun | undefined, active: boolean): Badge | null {
  switch (run?.status) {
    case undefined:
      return active ? { kind: "waiting", icon: "clock", text: "waiting", why: "" } : null;
    case "waiting":
      return active ? { kind: "waiting", icon: "clock", text: "waiting", why: "" } : null;
    case "running":
      return { kind: "running", icon: "play", text: "running", why: because(run.why) };
    case "ran":
      return {
        kind: "ran",
        icon: "check",
        text: duration(run.seconds ?? 0),
        why: because(run.why),
      };
    case "memory":
      return {
        kind: "cached",
        icon: "bolt",
        text: "from memory",
        why: "Its value was in memory: nothing that it depends on has changed.",
      };
    case "disk":
      return {
        kind: "cached",
        icon: "bolt",
        text: "from disk",
        why: "Its value was on disk: nothing that it depends on has changed.",
      };
    case "skipped":
      return {
        kind: "skipped",
        icon: "eye-off",
        text: "skipped",
        why: run.why || "Nobody needed it, or what it needs failed.",
      };
    case "failed":
      return { kind: "failed", icon: "error", text: "failed", why: run.sentence ?? "" };
    case "cancelled":
      return { kind: "cancelled", icon: "stop", text: "cancelled", why: "" };
  }
}
