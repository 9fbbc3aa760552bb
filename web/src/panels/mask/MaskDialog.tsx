/** Painting the mask of a picture that a node loads. */

import { useEffect, useState } from "react";
import { useEditor, useUi } from "../../editor";
import { Painting } from "../../pictures/painting";
import { isAborted, sentenceOf } from "../../server/api";
import { graphOf } from "../../store/tabs";
import { EmptyState, Spinner } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { MaskEditor } from "./MaskEditor";
import css from "./mask.module.css";
import { openPainting, saveMask } from "./mask_files";

export function MaskDialog() {
  const dialog = useUi((state) => (state.dialog?.kind === "mask" ? state.dialog : null));
  return dialog && <OpenDialog node={dialog.node} input={dialog.input} />;
}

interface Target {
  readonly node: string;
  readonly input: string;
}

function OpenDialog({ node, input }: Target) {
  const editor = useEditor();
  const [name] = useState(() => {
    const tab = editor.tabs.current();
    const value = tab && graphOf(tab).nodes[node]?.inputs?.[input];
    return typeof value === "string" ? value : "";
  });
  const [painting, fault] = usePainting(name);
  const [saving, setSaving] = useState(false);
  const close = async () => {
    if (saving) return;
    const lost = painting?.canUndo ?? false;
    if (!lost || (await editor.questions.ask(LOSE))) editor.ui.show(null);
  };
  const save = async () => {
    if (!painting || saving) return;
    setSaving(true);
    try {
      // Nothing was painted, so nothing is sent.
      if (painting.canUndo) await saveMask(editor, painting, name, node, input);
      editor.ui.show(null);
    } catch (error) {
      editor.ui.toast("error", `The mask is not saved: ${sentenceOf(error)}`);
      setSaving(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={() => void close()}
      title="Paint the mask"
      description={name}
      size="full"
      actions={
        <>
          {saving && <Spinner label="Saving" />}
          <Button disabled={saving} onClick={() => void close()}>
            Cancel
          </Button>
          <Button look="primary" disabled={!painting || saving} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      {painting ? (
        <MaskEditor painting={painting} name={name} />
      ) : (
        <div className={css.waiting}>
          {fault === null ? (
            <Spinner label={`Opening ${name}`} />
          ) : (
            <EmptyState icon="warning" title="It cannot be painted on">
              {fault}
            </EmptyState>
          )}
        </div>
      )}
    </Dialog>
  );
}

const LOSE = {
  title: "Close without saving?",
  description: "What you have painted is lost then.",
  action: "Close without saving",
  cancel: "Go on painting",
  danger: true,
} as const;

/** The picture, once it is here, or why it is not. */
function usePainting(name: string): readonly [Painting | null, string | null] {
  const { api } = useEditor();
  const [painting, setPainting] = useState<Painting | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    const leave = new AbortController();
    openPainting(api, name, leave.signal).then(
      (pixels) => !leave.signal.aborted && setPainting(new Painting(pixels)),
      (error: unknown) => !isAborted(error) && setFault(sentenceOf(error)),
    );
    return () => leave.abort();
  }, [api, name]);
  return [painting, fault];
}
