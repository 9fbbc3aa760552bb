/** A frame or a note that is selected: its title, its colour, and what it holds. */

import { editFrame, inside } from "../doc/frames";
import { type Item, idOf, idsOf, kindOf } from "../doc/types";
import { useEditor, useLibrary, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { TextField } from "../ui/TextField";
import { ColourLine } from "./ColourLine";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function AboutPart({ item }: { item: Item }) {
  if (kindOf(item) === "f") return <AboutFrame id={idOf(item)} />;
  return (
    <Panel title="Note">
      <ColourLine items={[item]} />
    </Panel>
  );
}

function AboutFrame({ id }: { id: string }) {
  const { tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const locked = useTab((tab) => tab.locked) ?? false;
  const frame = useTab((tab) => graphOf(tab).layout.frames?.[id]);
  const held = useTab(
    (tab) => idsOf(inside(graphOf(tab), id, workflowOf(tab), library), "n").length,
  );
  if (!frame) return null;
  return (
    <Panel title={frame.title || "Frame"}>
      <div className={css.form}>
        <TextField
          label="Title"
          labelled
          value={frame.title}
          disabled={locked}
          onChange={(title) =>
            tabs.editGraph((graph) => editFrame(graph, id, { title }), `title f:${id}`)
          }
          onBlur={() => tabs.seal()}
        />
        <ColourLine items={[`f:${id}`]} />
      </div>
      <p className={css.muted}>
        It holds {held} {held === 1 ? "node" : "nodes"}, which move with it.
      </p>
    </Panel>
  );
}
