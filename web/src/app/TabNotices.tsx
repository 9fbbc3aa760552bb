/** What one has to know of the workflow in view before going on: somebody else is at it too. */

import { useEditor, useTab } from "../editor";
import { Button } from "../ui/Button";
import css from "./TabNotices.module.css";

export function TabNotices() {
  const { tabs, actions, ui } = useEditor();
  const overtaken = useTab((tab) => tab.overtaken) ?? false;
  const elsewhere = useTab((tab) => tab.elsewhere) ?? false;
  const locked = useTab((tab) => tab.locked) ?? false;
  const id = useTab((tab) => tab.id);
  if (id === null || !(overtaken || elsewhere || locked)) return null;
  const reload = () => {
    const tab = tabs.find(id);
    if (tab) void actions.files.reload(tab);
  };
  return (
    <div className={css.notices}>
      {overtaken && (
        <div className={css.notice} role="alert">
          This workflow was saved by somebody else since you opened it.
          <Button onClick={reload}>Take theirs</Button>
          <Button onClick={() => ui.show({ kind: "save-as", tab: id })}>
            Save mine under another name
          </Button>
        </div>
      )}
      {elsewhere && (
        <div className={css.notice} role="status">
          This workflow is open in another window too. What is saved later is never written over
          unseen.
        </div>
      )}
      {locked && (
        <div className={css.notice} role="status">
          Locked: it can be looked at and run.
          <Button onClick={() => tabs.patch(id, { locked: false })}>Unlock</Button>
        </div>
      )}
    </div>
  );
}
