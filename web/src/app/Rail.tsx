/** The buttons at an edge that open its panels. */

import { keysOf, perform } from "../commands/command";
import { useEditor, useUi } from "../editor";
import { IconButton } from "../ui/Button";
import css from "./Rail.module.css";

const PANELS = {
  left: ["view.library", "view.outline", "view.workflows"],
  right: ["view.inspector", "view.queue", "view.history", "view.gallery"],
} as const;

export function Rail({ side }: { side: "left" | "right" }) {
  const editor = useEditor();
  const open = useUi((state) => state[side]);
  return (
    <nav
      className={css.rail}
      data-side={side}
      aria-label={side === "left" ? "Left panels" : "Right panels"}
    >
      {PANELS[side].map((id) => {
        const command = editor.commands.find((one) => one.id === id);
        if (!command?.icon) return null;
        return (
          <IconButton
            key={id}
            icon={command.icon}
            label={command.title}
            keys={keysOf(editor, command)}
            pressed={id === `view.${open}`}
            onClick={() => perform(editor, command)}
          />
        );
      })}
      <span className={css.space} />
      {side === "left" && (
        <IconButton
          icon="settings"
          label="Settings"
          onClick={() => editor.ui.show({ kind: "settings" })}
        />
      )}
      {side === "left" && (
        <IconButton
          icon="keyboard"
          label="Keyboard shortcuts"
          onClick={() => editor.ui.show({ kind: "shortcuts" })}
        />
      )}
    </nav>
  );
}
