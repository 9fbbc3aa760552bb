import { focusSoon } from "../canvas/focus";
import { itemsOf } from "../doc/boxes";
import { clearInput, editLayouts, GRID, place } from "../doc/edits";
import { isPinned, placeOf, setColour, setPinned } from "../doc/frames";
import { hasOwnValue } from "../doc/inputs";
import { faceOf } from "../doc/library";
import { downstream, upstream } from "../doc/order";
import { type Graph, type Item, idsOf, type Point } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf } from "../store/tabs";
import type { Command } from "./command";
import {
  colouredSelected,
  editable,
  graphInView,
  hasTab,
  nodesInHand,
  nodesSelected,
  selected,
  selectedNodes,
  someSelected,
} from "./selection";

/** Move the selection by steps of the grid; held keys are one step of undo. */
function nudge(editor: Editor, [dx, dy]: Point, fine: boolean): void {
  const step = fine ? 1 : GRID;
  editor.tabs.editGraph((graph) => {
    const places = new Map<Item, Point>();
    for (const key of selected(editor)) {
      const at = isPinned(graph, key) ? null : placeOf(graph, key);
      if (at) places.set(key, [at[0] + dx * step, at[1] + dy * step]);
    }
    return place(graph, places);
  }, "nudge");
}

const ARROWS = [
  ["Left", -1, 0],
  ["Right", 1, 0],
  ["Up", 0, -1],
  ["Down", 0, 1],
] as const;

const NUDGES: readonly Command[] = ARROWS.flatMap(([name, dx, dy]): Command[] => [
  {
    id: `edit.nudge-${name.toLowerCase()}`,
    title: `Move ${name.toLowerCase()}`,
    group: "Edit",
    keys: `Arrow${name}`,
    when: someSelected,
    run: (editor) => nudge(editor, [dx, dy], false),
  },
  {
    id: `edit.nudge-${name.toLowerCase()}-fine`,
    title: `Move ${name.toLowerCase()} by a pixel`,
    group: "Edit",
    keys: `Shift+Arrow${name}`,
    when: someSelected,
    run: (editor) => nudge(editor, [dx, dy], true),
  },
]);

/** The first selected thing that has a title; null if there is none. */
function titled(editor: Editor): Item | null {
  const [node] = selectedNodes(editor);
  if (node !== undefined) return `n:${node}`;
  const frames = graphInView(editor)?.layout.frames ?? {};
  const frame = idsOf(selected(editor), "f").find((id) => Object.hasOwn(frames, id));
  return frame === undefined ? null : `f:${frame}`;
}

/** Select the nodes along the wires too. */
function selectAlong(
  editor: Editor,
  along: (graph: Graph, ids: Iterable<string>) => ReadonlySet<string>,
): void {
  const graph = graphInView(editor);
  if (!graph) return;
  const found = along(graph, selectedNodes(editor));
  editor.tabs.select([...found].map((id): Item => `n:${id}`));
  editor.ui.say(`${found.size} ${found.size === 1 ? "node is" : "nodes are"} selected.`);
}

/** Give the fields of the selected nodes their defaults again; what has a wire or no default stays. */
function clearFields(editor: Editor): void {
  editor.tabs.editGraph((graph, workflow) => {
    let next = graph;
    for (const id of selectedNodes(editor)) {
      const entry = graph.nodes[id];
      if (!entry) continue;
      const face = faceOf(id, entry, graph, workflow, editor.library.getState().library);
      for (const port of face.inputs) {
        if (hasOwnValue(entry, port)) next = clearInput(next, id, port.name);
      }
    }
    return next;
  });
}

/** Show the field of the selection's colour, and go there. */
function chooseColour({ ui }: Editor): void {
  ui.setState({ right: "inspector" });
  focusSoon(() => document.querySelector<HTMLElement>("[data-colour]"));
}

export const EDIT_COMMANDS: readonly Command[] = [
  {
    id: "edit.undo",
    title: "Undo",
    group: "Edit",
    icon: "undo",
    keys: "Mod+z",
    when: editable,
    run: ({ tabs }) => tabs.undo(),
  },
  {
    id: "edit.redo",
    title: "Redo",
    group: "Edit",
    icon: "redo",
    keys: "Mod+Shift+z Mod+y",
    when: editable,
    run: ({ tabs }) => tabs.redo(),
  },
  {
    id: "edit.cut",
    title: "Cut",
    group: "Edit",
    keys: "Mod+x",
    when: someSelected,
    run: ({ actions }) => actions.nodes.cut(),
  },
  {
    id: "edit.copy",
    title: "Copy",
    group: "Edit",
    icon: "copy",
    keys: "Mod+c",
    when: (editor) => selected(editor).size > 0,
    run: ({ actions }) => actions.nodes.copy(),
  },
  {
    id: "edit.paste",
    title: "Paste",
    group: "Edit",
    keys: "Mod+v",
    when: editable,
    run: (editor) => pasteText(editor, false),
  },
  {
    id: "edit.paste-wires",
    title: "Paste with outer wires",
    group: "Edit",
    keys: "Mod+Shift+v",
    when: editable,
    run: (editor) => pasteText(editor, true),
  },
  {
    id: "edit.duplicate",
    title: "Duplicate",
    group: "Edit",
    keys: "Mod+d",
    when: someSelected,
    run: ({ actions }) => actions.nodes.duplicate(),
  },
  {
    id: "edit.delete",
    title: "Delete",
    group: "Edit",
    icon: "trash",
    keys: "Delete Backspace",
    when: someSelected,
    run: ({ actions }) => actions.nodes.remove(),
  },
  {
    id: "edit.select-all",
    title: "Select all",
    group: "Edit",
    keys: "Mod+a",
    when: hasTab,
    run({ tabs }) {
      const tab = tabs.current();
      if (tab) tabs.select(itemsOf(graphOf(tab)));
    },
  },
  {
    id: "edit.select-before",
    title: "Select all that the selection needs",
    group: "Edit",
    keys: "Shift+u",
    when: nodesInHand,
    run: (editor) => selectAlong(editor, upstream),
  },
  {
    id: "edit.select-after",
    title: "Select all that needs the selection",
    group: "Edit",
    keys: "Shift+d",
    when: nodesInHand,
    run: (editor) => selectAlong(editor, downstream),
  },
  {
    id: "edit.select-none",
    title: "Select nothing",
    group: "Edit",
    keys: "Escape",
    when: hasTab,
    run: ({ tabs }) => tabs.select([]),
  },
  {
    id: "edit.find",
    title: "Find in the graph",
    group: "Edit",
    icon: "search",
    keys: "Mod+f",
    always: true,
    when: hasTab,
    run: ({ ui }) => ui.setState({ finding: true }),
  },
  {
    id: "edit.rename",
    title: "Rename the node or the frame",
    group: "Edit",
    icon: "edit",
    keys: "F2",
    when: (editor) => editable(editor) && titled(editor) !== null,
    run: (editor) => editor.ui.setState({ renaming: titled(editor) }),
  },
  {
    id: "edit.defaults",
    title: "Give the fields their defaults",
    group: "Edit",
    keys: "Alt+Backspace",
    when: nodesSelected,
    run: clearFields,
  },
  {
    id: "edit.colour",
    title: "Colour the selection",
    group: "Edit",
    keys: "Shift+c",
    when: colouredSelected,
    run: chooseColour,
  },
  {
    id: "edit.uncolour",
    title: "Give the selection its usual colour",
    group: "Edit",
    keys: "Alt+Shift+c",
    when: colouredSelected,
    run: ({ tabs }) =>
      tabs.editGraph((graph) => setColour(graph, tabs.current()?.selection ?? [], null)),
  },
  {
    id: "edit.pin",
    title: "Pin in place",
    group: "Edit",
    icon: "pin",
    keys: "p",
    when: someSelected,
    run(editor) {
      editor.tabs.editGraph((graph) => {
        const items = [...selected(editor)];
        return setPinned(graph, items, !items.every((key) => isPinned(graph, key)));
      });
    },
  },
  {
    id: "edit.collapse",
    title: "Fold or unfold",
    group: "Edit",
    keys: "Alt+c",
    when: nodesSelected,
    run(editor) {
      const ids = selectedNodes(editor);
      const graph = graphInView(editor);
      const fold = ids.some((id) => graph?.layout.nodes?.[id]?.collapsed !== true);
      editor.tabs.editGraph((now) =>
        editLayouts(now, ids, ({ collapsed: _, ...rest }) =>
          fold ? { ...rest, collapsed: true } : rest,
        ),
      );
    },
  },
  {
    id: "edit.lock",
    title: "Lock the workflow",
    group: "Edit",
    icon: "lock",
    keys: "Alt+l",
    when: hasTab,
    on: ({ tabs }) => tabs.current()?.locked ?? false,
    run({ tabs, ui }) {
      const tab = tabs.current();
      if (!tab) return;
      tabs.patch(tab.id, { locked: !tab.locked });
      ui.say(tab.locked ? "Unlocked." : "Locked: it can be looked at and run, not changed.");
    },
  },
  ...NUDGES,
];

/** From the menu; Ctrl+V itself comes as the browser's own event, with pictures too. */
async function pasteText(editor: Editor, keepOuter: boolean): Promise<void> {
  try {
    const text = await navigator.clipboard.readText();
    if (!editor.actions.nodes.paste(text, keepOuter)) {
      editor.ui.say("The clipboard holds nothing that can be pasted here.");
    }
  } catch {
    editor.ui.toast(
      "warning",
      "The browser does not let this page read the clipboard; press Ctrl+V instead.",
    );
  }
}
