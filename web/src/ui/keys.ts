/** How shortcuts are written, and which keys a field keeps from the graph. */

const SIGNS: Readonly<Record<string, string>> = {
  Mod: "⌘",
  Ctrl: "⌘",
  Meta: "⌘",
  Shift: "⇧",
  Alt: "⌥",
  Enter: "↩",
  Backspace: "⌫",
  Delete: "⌦",
  Escape: "⎋",
};

const WORDS: Readonly<Record<string, string>> = { Mod: "Ctrl", Escape: "Esc" };

const ARROWS: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Up: "↑",
  Down: "↓",
  Left: "←",
  Right: "→",
};

const onMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

/** `Mod+Shift+k` as it is shown: `Ctrl+Shift+K`, on a mac `⌘⇧K`. */
export function formatKeys(keys: string, mac = onMac()): string {
  const parts = keys.split(/\+(?!$)/).map((part) => {
    const shown = ARROWS[part] ?? (mac ? SIGNS[part] : WORDS[part]) ?? part;
    return shown.length === 1 ? shown.toUpperCase() : shown;
  });
  return parts.join(mac ? "" : "+");
}

/** `Mod+K` as aria-keyshortcuts wants it. */
export const ariaKeys = (keys: string, mac = onMac()): string =>
  keys.replaceAll(/\b(Mod|Ctrl)\b/g, mac ? "Meta" : "Control");

interface KeyLike {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

const GLOBAL = new Set(["enter", "s", "k", "f", "o", ","]);

/** Whether a key pressed in a text means the text. What remains (run, save, palette) is for all. */
export function meansText(event: KeyLike): boolean {
  if (/^F\d+$/.test(event.key) || event.key === "Escape") return false;
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  return !(command && GLOBAL.has(event.key.toLowerCase()));
}

const CONTROL = /^( |Enter|Arrow.*|Home|End|PageUp|PageDown|Tab)$/;

/** Whether a key pressed on a button, switch or slider means that control. */
export const meansControl = (event: KeyLike): boolean =>
  !event.ctrlKey && !event.metaKey && CONTROL.test(event.key);

type Stoppable = KeyLike & { stopPropagation(): void };

/** onKeyDown of what holds a text: the graph does not see keys that edit it. */
export const keepTextKeys = (event: Stoppable): void => {
  if (meansText(event)) event.stopPropagation();
};

/** onKeyDown of what holds controls. */
export const keepControlKeys = (event: Stoppable): void => {
  if (meansControl(event)) event.stopPropagation();
};
