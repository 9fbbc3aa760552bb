/** Saving under a name, and what to do when somebody else has saved meanwhile. */

import { useState } from "react";
import { useEditor, useShelf } from "../editor";
import { workflowOf } from "../store/tabs";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { NameDialog } from "./NameDialog";

/** `Text to image` as the name of a file: `text_to_image`. */
const fileName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}/_-]+/gu, "_")
    .replace(/^[_/]+|[_/]+$/g, "") || "workflow";

export function SaveAsDialog({ tab: id }: { tab: string }) {
  const { ui, tabs, actions } = useEditor();
  const tab = tabs.find(id);
  const known = useShelf((state) => state.workflows);
  const taken = (path: string) => known.find((one) => one.path === path);
  const [path, setPath] = useState(() => {
    const wanted = tab?.path ?? fileName(tab ? workflowOf(tab).name : "");
    return taken(wanted)?.template ? `my/${wanted}` : wanted;
  });
  const [saving, setSaving] = useState(false);
  if (!tab) return null;
  const there = taken(path.trim());
  const over = there !== undefined && !there.template;
  const problem = there?.template
    ? "A template is called like that, and nobody changes those; choose another name."
    : path.trim() === ""
      ? "Give it a name."
      : null;
  const save = async () => {
    const now = tabs.find(id);
    if (!now) return;
    setSaving(true);
    // What was typed stays until it is saved; what else has to be decided is asked over it.
    const saved = await actions.files.saveAs(now, path.trim(), over);
    setSaving(false);
    if (saved) ui.show(null);
  };
  return (
    <NameDialog
      title="Save the workflow"
      description="Parts of the name with a / between are folders."
      name={path}
      onName={setPath}
      problem={problem}
      action={over ? "Save over it" : "Save"}
      danger={over}
      busy={saving}
      onDone={save}
    >
      {over && (
        <p>
          A workflow is called like that already. What it holds now stays as an earlier version.
        </p>
      )}
    </NameDialog>
  );
}

export function ConflictDialog({ tab: id }: { tab: string }) {
  const { ui, tabs, actions } = useEditor();
  const tab = tabs.find(id);
  if (!tab || tab.path === null) return null;
  const path = tab.path;
  const then = (act: () => unknown) => () => {
    ui.show(null);
    void act();
  };
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title="Somebody else has saved this workflow"
      description={`'${path}' was changed since you opened it. Nothing was written; your work is here.`}
      actions={
        <>
          <Button onClick={then(() => actions.files.reload(tab))}>Take theirs</Button>
          <Button onClick={() => ui.show({ kind: "save-as", tab: id })}>
            Save mine under another name
          </Button>
          <Button look="danger" onClick={then(() => actions.files.saveAs(tab, path, true))}>
            Save mine over it
          </Button>
        </>
      }
    >
      <p>
        Whichever you choose, the other stays as an earlier version; taking theirs can be undone.
      </p>
    </Dialog>
  );
}
