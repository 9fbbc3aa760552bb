/** Another name for a saved workflow. */

import { useState } from "react";
import { useEditor, useShelf } from "../editor";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { TextField } from "../ui/TextField";

export function RenameDialog({ path }: { path: string }) {
  const { ui, actions } = useEditor();
  const known = useShelf((state) => state.workflows);
  const info = known.find((one) => one.path === path);
  const [typed, setTyped] = useState(path);
  const [refused, setRefused] = useState<string | null>(null);
  const wanted = typed.trim();
  const taken = wanted !== path && known.some((one) => one.path === wanted);
  const problem =
    refused ??
    (wanted === ""
      ? "Give it a name."
      : taken
        ? "A workflow is called like that already; choose another name."
        : null);
  if (!info) return null;
  const rename = async () => {
    if (problem) return;
    const fault = wanted === path ? null : await actions.shelf.rename(info, wanted);
    if (fault === null) ui.show(null);
    else setRefused(fault);
  };
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title={`Rename ${path}`}
      description="Parts of the name with a / between are folders. Earlier versions stay under the old name."
      actions={
        <>
          <Button onClick={() => ui.show(null)}>Cancel</Button>
          <Button look="primary" disabled={problem !== null} onClick={() => void rename()}>
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
        onChange={(text) => {
          setTyped(text);
          setRefused(null);
        }}
        problem={problem}
        onKeyDown={(event) => {
          if (event.key === "Enter") void rename();
        }}
      />
    </Dialog>
  );
}
