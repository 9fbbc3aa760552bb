/** How a node stands in a document, for those who write documents by hand or by program. */

import { exampleOf } from "../doc/example";
import type { Face } from "../doc/library";
import { useEditor, useLibrary } from "../editor";
import { IconButton } from "../ui/Button";
import css from "./NodeExample.module.css";

interface ExampleProps {
  readonly id: string;
  readonly type: string;
  readonly face: Face;
}

export function NodeExample({ id, type, face }: ExampleProps) {
  const { ui } = useEditor();
  const library = useLibrary((state) => state.library);
  const text = JSON.stringify(exampleOf(id, type, face, library), null, 2);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => ui.say("Copied."),
      () => ui.say("The browser does not let this page write to the clipboard."),
    );
  return (
    <section aria-label="Example">
      <div className={css.head}>
        <h3 className={css.title}>Example</h3>
        <IconButton small icon="copy" label="Copy the example" onClick={() => void copy()} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is wider than the panel is scrolled by keys */}
      <pre className={css.code} tabIndex={0}>
        {text}
      </pre>
    </section>
  );
}
