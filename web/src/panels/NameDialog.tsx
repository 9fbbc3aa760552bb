/** A name is asked for: what is typed, what is wrong with it, and what is done with it. */

import type { ReactNode } from "react";
import { useEditor } from "../editor";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { TextField } from "../ui/TextField";

interface NameDialogProps {
  readonly title: string;
  readonly description: string;
  /** What is typed so far. */
  readonly name: string;
  readonly onName: (name: string) => void;
  /** Why it cannot be the name, as a sentence. */
  readonly problem: string | null;
  /** What the name is for, in a word. */
  readonly action: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  /** It is the name; never with a problem. */
  readonly onDone: () => unknown;
  readonly children?: ReactNode;
}

export function NameDialog(props: NameDialogProps) {
  const { title, description, name, onName, problem, action, danger, busy, onDone } = props;
  const { ui } = useEditor();
  const allowed = problem === null && !busy;
  const done = () => {
    if (allowed) void onDone();
  };
  return (
    <Dialog
      open
      onOpenChange={() => ui.show(null)}
      title={title}
      description={description}
      actions={
        <>
          <Button onClick={() => ui.show(null)}>Cancel</Button>
          <Button look={danger ? "danger" : "primary"} disabled={!allowed} onClick={done}>
            {action}
          </Button>
        </>
      }
    >
      <TextField
        label="Name"
        labelled
        autoFocus
        value={name}
        onChange={onName}
        problem={problem}
        onKeyDown={(event) => {
          if (event.key === "Enter") done();
        }}
      />
      {props.children}
    </Dialog>
  );
}

/** What is wrong with another name for something; null if nothing is. */
export function renameProblem(
  what: string,
  before: string,
  wanted: string,
  known: readonly string[],
): string | null {
  if (wanted === "") return "Give it a name.";
  if (wanted === before || !known.includes(wanted)) return null;
  return `A ${what} is called like that already; choose another name.`;
}
