/** Another name for a saved workflow. */

import { useState } from "react";
import { useEditor, useShelf } from "../editor";
import { NameDialog, renameProblem } from "./NameDialog";

export function RenameDialog({ path }: { path: string }) {
  const { ui, actions } = useEditor();
  const known = useShelf((state) => state.workflows);
  const info = known.find((one) => one.path === path);
  const [typed, setTyped] = useState(path);
  const [refused, setRefused] = useState<string | null>(null);
  if (!info) return null;
  const wanted = typed.trim();
  const paths = known.map((one) => one.path);
  const rename = async () => {
    const fault = wanted === path ? null : await actions.shelf.rename(info, wanted);
    if (fault === null) ui.show(null);
    else setRefused(fault);
  };
  return (
    <NameDialog
      title={`Rename ${path}`}
      description="Parts of the name with a / between are folders. Earlier versions stay under the old name."
      name={typed}
      onName={(text) => {
        setTyped(text);
        setRefused(null);
      }}
      problem={refused ?? renameProblem("workflow", path, wanted, paths)}
      action="Rename"
      onDone={rename}
    />
  );
}
