/** Small dialogs: saving, names, what is missing, what cannot be read, a traceback, a comment. */

import { useUi } from "../editor";
import { GroupNameDialog } from "./GroupNameDialog";
import { MissingDialog } from "./MissingDialog";
import { CommentDialog, TraceDialog, UnreadableDialog } from "./NodeDialogs";
import { RenameDialog } from "./RenameDialog";
import { ConflictDialog, SaveAsDialog } from "./SaveDialogs";

export function Dialogs() {
  const dialog = useUi((state) => state.dialog);
  switch (dialog?.kind) {
    case "save-as":
      return <SaveAsDialog tab={dialog.tab} />;
    case "rename":
      return <RenameDialog path={dialog.path} />;
    case "conflict":
      return <ConflictDialog tab={dialog.tab} />;
    case "missing":
      return <MissingDialog tab={dialog.tab} />;
    case "unreadable":
      return <UnreadableDialog {...dialog} />;
    case "trace":
      return <TraceDialog {...dialog} />;
    case "comment":
      return <CommentDialog node={dialog.node} />;
    case "group-name":
      return <GroupNameDialog group={dialog.group} />;
    default:
      return null;
  }
}
