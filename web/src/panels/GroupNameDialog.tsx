/** Another name for a group, in all its calls. */

import { useState } from "react";
import { renameGroup } from "../doc/groups";
import { useEditor, useTab } from "../editor";
import { workflowOf } from "../store/tabs";
import { NameDialog, renameProblem } from "./NameDialog";

export function GroupNameDialog({ group }: { group: string }) {
  const { tabs, ui } = useEditor();
  const [typed, setTyped] = useState(group);
  const names = Object.keys(useTab(workflowOf)?.groups ?? {});
  const wanted = typed.trim();
  const rename = () => {
    if (wanted !== group) tabs.edit((workflow) => renameGroup(workflow, group, wanted));
    ui.show(null);
  };
  return (
    <NameDialog
      title={`Rename the group ${group}`}
      description="All nodes that call it call it by the new name; titles that nodes were given stay."
      name={typed}
      onName={setTyped}
      problem={renameProblem("group", group, wanted, names)}
      action="Rename"
      onDone={rename}
    />
  );
}
