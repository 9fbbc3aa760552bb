/** The workflow in view is checked by the server while it is edited, a moment after each edit. */

import { useEffect } from "react";
import { useEditor, useTab } from "../editor";
import { workflowOf } from "../store/tabs";

const MOMENT = 400;

export function useChecks(): void {
  const { actions } = useEditor();
  const workflow = useTab(workflowOf);
  useEffect(() => {
    if (!workflow || Object.keys(workflow.nodes).length === 0) return;
    const timer = setTimeout(() => {
      // A server that is away is told of by the banner; the next edit asks again.
      actions.run.check().catch(() => undefined);
    }, MOMENT);
    return () => clearTimeout(timer);
  }, [actions, workflow]);
}
