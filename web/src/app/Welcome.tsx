/** Shown while no workflow is open. */

import { useEditor } from "../editor";
import { EmptyState } from "../ui/Badge";
import { Button } from "../ui/Button";

export function Welcome() {
  const { actions, ui } = useEditor();
  return (
    <EmptyState
      icon="node"
      title="No workflow is open"
      action={
        <>
          <Button look="primary" icon="gallery" onClick={() => ui.show({ kind: "templates" })}>
            Begin with a template
          </Button>
          <Button icon="plus" onClick={() => actions.files.create()}>
            Begin with nothing
          </Button>
        </>
      }
    >
      Open a saved one at the left, or drop a file or a picture that nodeflow made anywhere here.
    </EmptyState>
  );
}
