/** The workflow or the group in view, while nothing is selected: its name, and what it exposes. */

import { useEditor, useTab } from "../editor";
import { workflowOf } from "../store/tabs";
import { TextField } from "../ui/TextField";
import { Exposed } from "./Exposed";
import { Groups } from "./Groups";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function AboutWorkflow() {
  const { tabs } = useEditor();
  const name = useTab((tab) => workflowOf(tab).name) ?? "";
  const description = useTab((tab) => workflowOf(tab).description) ?? "";
  const inside = useTab((tab) => tab.scope.length > 0) ?? false;
  return (
    <Panel title={inside ? "Group" : "Workflow"}>
      {!inside && (
        <div className={css.form}>
          <TextField
            label="Name"
            labelled
            value={name}
            onChange={(text) => tabs.edit((now) => ({ ...now, name: text }), "name")}
          />
          <TextField
            label="Description"
            labelled
            value={description}
            onChange={(text) => tabs.edit((now) => ({ ...now, description: text }), "description")}
          />
        </div>
      )}
      <h3 className={css.heading}>Exposed inputs, in the order of the form</h3>
      <Exposed side="inputs" />
      <h3 className={css.heading}>Outputs</h3>
      <Exposed side="outputs" />
      <Groups />
      <p className={css.muted}>Select a node to expose its inputs.</p>
    </Panel>
  );
}
