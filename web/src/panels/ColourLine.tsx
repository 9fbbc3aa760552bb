/** The colour of what is selected, and the way back to the usual one. */

import { colourOf, setColour } from "../doc/frames";
import type { Item } from "../doc/types";
import { useEditor, useTab } from "../editor";
import { graphOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import css from "./Panel.module.css";

/** What the browser shows while a thing has no colour of its own. */
const USUAL = "#6d7c95";

export function ColourLine({ items }: { items: readonly Item[] }) {
  const { tabs } = useEditor();
  const locked = useTab((tab) => tab.locked) ?? false;
  const colour = useTab((tab) => {
    const found = new Set(items.map((key) => colourOf(graphOf(tab), key)));
    return found.size === 1 ? [...found][0] : null;
  });
  const change = (next: string | null) =>
    tabs.editGraph((graph) => setColour(graph, items, next), `colour ${items.join(" ")}`);
  return (
    <div className={css.item}>
      <label className={css.line}>
        <span>Colour</span>
        <input
          type="color"
          data-colour
          value={colour ?? USUAL}
          disabled={locked}
          onChange={(event) => change(event.target.value)}
          onBlur={() => tabs.seal()}
        />
      </label>
      <span className={css.grow}>
        <span className={css.muted}>{colour ?? "as usual"}</span>
      </span>
      <IconButton
        icon="undo"
        small
        label="The usual colour"
        disabled={locked || colour === null}
        onClick={() => {
          tabs.seal();
          change(null);
          tabs.seal();
        }}
      />
    </div>
  );
}
