/** A traceback, a comment, and a file that is no workflow. */

import { useState } from "react";
import { withNodeLayout } from "../doc/edits";
import { useEditor } from "../editor";
import type { Problem } from "../server/api";
import { graphOf } from "../store/tabs";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import css from "./NodeDialogs.module.css";

interface TraceProps {
  readonly node: string;
  readonly sentence: string;
  readonly trace: string;
}

export function TraceDialog({ node, sentence, trace }: TraceProps) {
  const { ui } = useEditor();
  const copy = () =>
    navigator.clipboard.writeText(`${node}: ${sentence}\n\n${trace}`).then(
      () => ui.say("Copied."),
      () => ui.say("The browser does not let this page write to the clipboard."),
    );
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title={node}
      description={sentence}
      size="large"
      actions={
        <>
          <Button icon="copy" onClick={() => void copy()}>
            Copy
          </Button>
          <Button onClick={() => ui.show(null)}>Close</Button>
        </>
      }
    >
      <pre className={css.trace}>{trace}</pre>
    </Dialog>
  );
}

export function CommentDialog({ node }: { node: string }) {
  const { ui, tabs } = useEditor();
  const tab = tabs.current();
  const [text, setText] = useState((tab && graphOf(tab).layout.nodes?.[node]?.comment) ?? "");
  const keep = () => {
    const comment = text.trim();
    tabs.editGraph((graph) =>
      withNodeLayout(graph, node, ({ comment: _, ...rest }) =>
        comment ? { ...rest, comment } : rest,
      ),
    );
    ui.show(null);
  };
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title="Comment on the node"
      actions={
        <>
          <Button onClick={() => ui.show(null)}>Cancel</Button>
          <Button look="primary" onClick={keep}>
            Keep
          </Button>
        </>
      }
    >
      <textarea
        className={css.text}
        aria-label="Comment"
        rows={5}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </Dialog>
  );
}

interface UnreadableProps {
  readonly name: string;
  readonly sentence: string;
  readonly problems: readonly Problem[];
}

export function UnreadableDialog({ name, sentence, problems }: UnreadableProps) {
  const { ui } = useEditor();
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title={`${name} cannot be opened`}
      description={sentence}
      actions={<Button onClick={() => ui.show(null)}>Close</Button>}
    >
      <ul>
        {problems.map((one) => (
          <li key={`${one.pointer} ${one.code}`}>
            {one.sentence} {one.way_out}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
