/** `?debug`: what tests and curious people may read, and set up a case with. */

import { runCommand } from "../commands/command";
import { boxOf } from "../doc/boxes";
import { ensureLayout } from "../doc/layout_defaults";
import { canonical, parseWorkflow } from "../doc/parse";
import type { Item } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";

interface Inspect {
  /** The document in view, as it would be saved. */
  doc(): unknown;
  load(json: unknown): string;
  run(command: string): void;
  /** Where an item lies on the screen: left, top, width, height. */
  box(item: Item): readonly [number, number, number, number] | null;
  editor: Editor;
}

export function makeInspect(editor: Editor): void {
  const inspect: Inspect = {
    editor,
    doc() {
      const tab = editor.tabs.current();
      return tab ? JSON.parse(canonical(workflowOf(tab))) : null;
    },
    load(json) {
      const workflow = ensureLayout(parseWorkflow(json), editor.library.getState().library);
      return editor.tabs.open({ workflow, saved: null });
    },
    run: (command) => runCommand(editor, command),
    box(item) {
      const tab = editor.tabs.current();
      if (!tab) return null;
      const box = boxOf(item, graphOf(tab), workflowOf(tab), editor.library.getState().library);
      if (!box) return null;
      const [left, top] = editor.canvas.toScreen([box.x, box.y]);
      const { zoom } = editor.canvas.viewport();
      return [left, top, box.width * zoom, box.height * zoom];
    },
  };
  Object.assign(window, { inspect });
}
