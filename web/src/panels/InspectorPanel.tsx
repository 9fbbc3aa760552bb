/** What is selected: its help, its inputs, and what is shown of it to the outside. */

import { runCommand } from "../commands/command";
import { type Item, idsOf, kindOf } from "../doc/types";
import { useEditor, useTab } from "../editor";
import { IconButton } from "../ui/Button";
import { AboutNode } from "./AboutNode";
import { AboutPart } from "./AboutPart";
import { AboutWorkflow } from "./AboutWorkflow";
import { ColourLine } from "./ColourLine";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function InspectorPanel() {
  const ids = useTab((tab) => idsOf(tab.selection, "n").join("\n")) ?? "";
  const [first, ...more] = ids.split("\n").filter(Boolean);
  const part = useTab((tab) =>
    [...tab.selection].find((key) => kindOf(key) === "f" || kindOf(key) === "t"),
  );
  if (first === undefined) return part ? <AboutPart item={part} /> : <AboutWorkflow />;
  return more.length > 0 ? <Several ids={[first, ...more]} /> : <AboutNode id={first} />;
}

const ALIGNS = ["left", "centre", "right", "top", "middle", "bottom"] as const;

function Several({ ids }: { ids: readonly string[] }) {
  const editor = useEditor();
  return (
    <Panel title={`${ids.length} nodes`}>
      <p className={css.muted}>Align their edges:</p>
      <div>
        {ALIGNS.map((edge) => (
          <IconButton
            key={edge}
            icon={`align-${edge}`}
            label={`Align ${edge}`}
            onClick={() => runCommand(editor, `graph.align-${edge}`)}
          />
        ))}
      </div>
      <ColourLine items={ids.map((id): Item => `n:${id}`)} />
    </Panel>
  );
}
