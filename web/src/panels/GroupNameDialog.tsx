/** Another name for a group, in all its calls. */

import { useState } from "react";
import { renameGroup } from "../doc/groups";
import { useEditor, useTab } from "../editor";
import { workflowOf } from "../store/tabs";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { TextField } from "../ui/TextField";

export function GroupNameDialog({ group }: { group: string }) {
  const { tabs, ui } = useEditor();
  const [typed, setTyped] = useState(group);
  const names = Object.keys(useTab(workflowOf)?.groups ?? {});
  const wanted = typed.trim();
  const taken = wanted !== group && names.includes(wanted);
  const problem =
    wanted === ""
      ? "Give it a name."
      : taken
        ? "A group is called like that already; choose another name."
        : null;
  const rename = () => {
    if (problem !== null) return;
    if (wanted !== group) tabs.edit((workflow) => renameGroup(workflow, group, wanted));
    ui.show(null);
  };
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title={`Rename the group ${group}`}
      description="All nodes that call it call it by the new name; titles that nodes were given stay."
      actions={
        <>
          <Button onClick={() => ui.show(null)}>Cancel</Button>
          <Button look="primary" disabled={problem !== null} onClick={rename}>
            Rename
          </Button>
        </>
      }
    >
      <TextField
        label="Name"
        labelled
        autoFocus
        value={typed}
        onChange={setTyped}
        problem={problem}
        onKeyDown={(event) => {
          if (event.key === "Enter") rename();
        }}
      />
    </Dialog>
  );
}
