import { pictureInput } from "../actions/pictures";
import { focusNode } from "../canvas/focus";
import { focusSockets } from "../canvas/socket_keys";
import { align, autolayout, type Edge } from "../doc/arrange";
import { setMode, withNodeLayout } from "../doc/edits";
import { frameAround, setFrameMode } from "../doc/frames";
import { showsPictures } from "../doc/geometry";
import { faceOf } from "../doc/library";
import { addNote, NOTE_SIZE } from "../doc/notes";
import { flowOrder } from "../doc/order";
import { idsOf, type Mode } from "../doc/types";
import type { Editor } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import type { IconName } from "../ui/icons";
import type { Command } from "./command";
import {
  editable,
  graphInView,
  hasTab,
  meant,
  nodesSelected,
  selected,
  selectedNodes,
  someSelected,
} from "./selection";

const library = (editor: Editor) => editor.library.getState().library;

/** The mode is set, or taken away if all have it. */
function toggleMode(editor: Editor, mode: Mode): void {
  const ids = meant(editor);
  const graph = graphInView(editor);
  const all = ids.every((id) => graph?.nodes[id]?.mode === mode);
  editor.tabs.editGraph((now) => setMode(now, ids, all ? null : mode));
}

const EDGES: readonly [Edge, string, IconName][] = [
  ["left", "left edges", "align-left"],
  ["right", "right edges", "align-right"],
  ["top", "top edges", "align-top"],
  ["bottom", "bottom edges", "align-bottom"],
  ["centre", "centres", "align-centre"],
  ["middle", "middles", "align-middle"],
];

const ALIGNS: readonly Command[] = EDGES.map(([edge, words, icon]) => ({
  id: `graph.align-${edge}`,
  title: `Align ${words}`,
  group: "Graph",
  icon,
  when: (editor) => someSelected(editor) && selected(editor).size > 1,
  run(editor) {
    const items = [...selected(editor)];
    editor.tabs.editGraph((graph, workflow) =>
      align(graph, workflow, library(editor), items, edge),
    );
  },
}));

/** The node that has the focus, else the only one that is selected. */
function nodeAtHand(editor: Editor): string | null {
  const card = document.activeElement?.closest<HTMLElement>("[data-node]");
  const [id, ...more] = card?.dataset.node ? [card.dataset.node] : selectedNodes(editor);
  return id !== undefined && more.length === 0 ? id : null;
}

function togglePictures(editor: Editor, id: string): void {
  editor.tabs.editGraph((graph, workflow) => {
    const entry = graph.nodes[id];
    if (!entry) return graph;
    const face = faceOf(id, entry, graph, workflow, library(editor));
    return withNodeLayout(graph, id, ({ pictures, ...rest }) => {
      const next = !showsPictures(face, { ...rest, ...(pictures !== undefined && { pictures }) });
      // What a type has by itself is not written down.
      return next === showsPictures(face, rest) ? rest : { ...rest, pictures: next };
    });
  });
}

/** The input of the first selected node that has a picture's file chosen; null if there is none. */
function selectedPicture(editor: Editor): { node: string; input: string } | null {
  const [node] = selectedNodes(editor);
  const input = node === undefined ? null : pictureInput(editor, node);
  if (node === undefined || input === null) return null;
  const value = graphInView(editor)?.nodes[node]?.inputs?.[input];
  return typeof value === "string" && value !== "" ? { node, input } : null;
}

export const GRAPH_COMMANDS: readonly Command[] = [
  {
    id: "graph.add",
    title: "Add a node",
    group: "Graph",
    icon: "plus",
    keys: "a",
    when: editable,
    run({ canvas, ui }) {
      const at = canvas.pointer();
      const free = !canvas.pointed();
      ui.setState({ search: { at, screen: canvas.toScreen(at), loose: null, free } });
    },
  },
  {
    id: "graph.focus",
    title: "Go to the nodes",
    group: "Graph",
    keys: "g",
    when: (editor) => Object.keys(graphInView(editor)?.nodes ?? {}).length > 0,
    run(editor) {
      const graph = graphInView(editor);
      const [first] = [...selectedNodes(editor), ...(graph ? flowOrder(graph) : [])];
      if (first !== undefined) focusNode(editor, first);
    },
  },
  {
    id: "graph.sockets",
    title: "Go to the sockets of the node",
    group: "Graph",
    keys: "s",
    when: (editor) => nodeAtHand(editor) !== null,
    run(editor) {
      const node = nodeAtHand(editor);
      if (node !== null) focusSockets(editor, node);
    },
  },
  {
    id: "graph.bypass",
    title: "Bypass",
    group: "Graph",
    icon: "bypass",
    keys: "Mod+b",
    when: someSelected,
    run: (editor) => toggleMode(editor, "bypass"),
  },
  {
    id: "graph.mute",
    title: "Mute",
    group: "Graph",
    icon: "mute",
    keys: "Mod+m",
    when: someSelected,
    run: (editor) => toggleMode(editor, "mute"),
  },
  {
    id: "graph.frame",
    title: "Frame the selection",
    group: "Graph",
    icon: "frame",
    keys: "Mod+g",
    when: someSelected,
    run(editor) {
      let made: string | null = null;
      editor.tabs.editGraph((graph, workflow) => {
        const framed = frameAround(graph, selected(editor), workflow, library(editor));
        made = framed.id;
        return framed.graph;
      });
      if (made !== null) editor.tabs.select([`f:${made}`]);
    },
  },
  {
    id: "graph.frame-bypass",
    title: "Bypass all in the frame",
    group: "Graph",
    keys: "Mod+Shift+b",
    when: (editor) => editable(editor) && idsOf(selected(editor), "f").length > 0,
    run(editor) {
      const all = meant(editor).every((id) => graphInView(editor)?.nodes[id]?.mode === "bypass");
      for (const frame of idsOf(selected(editor), "f")) {
        editor.tabs.editGraph((graph, workflow) =>
          setFrameMode(graph, frame, all ? null : "bypass", workflow, library(editor)),
        );
      }
    },
  },
  {
    id: "graph.note",
    title: "Add a note",
    group: "Graph",
    icon: "note",
    keys: "n",
    when: editable,
    run(editor) {
      const [x, y] = editor.canvas.pointer();
      let made = "";
      editor.tabs.editGraph((graph) => {
        const added = addNote(graph, [Math.round(x - NOTE_SIZE[0] / 2), Math.round(y - 20)]);
        made = added.id;
        return added.graph;
      });
      if (made) editor.tabs.select([`t:${made}`]);
    },
  },
  {
    id: "graph.comment",
    title: "Comment on the node",
    group: "Graph",
    icon: "comment",
    keys: "c",
    when: nodesSelected,
    run(editor) {
      const [node] = selectedNodes(editor);
      if (node) editor.ui.show({ kind: "comment", node });
    },
  },
  {
    id: "graph.pictures",
    title: "Show or hide the pictures of the node",
    group: "Graph",
    icon: "image",
    keys: "i",
    when: nodesSelected,
    run(editor) {
      for (const id of selectedNodes(editor)) togglePictures(editor, id);
    },
  },
  {
    id: "graph.mask",
    title: "Paint the mask of the picture",
    group: "Graph",
    icon: "mask",
    keys: "m",
    when: (editor) => editable(editor) && selectedPicture(editor) !== null,
    run(editor) {
      const picture = selectedPicture(editor);
      if (picture) editor.ui.show({ kind: "mask", ...picture });
    },
  },
  {
    id: "graph.layout",
    title: "Lay out the selection",
    group: "Graph",
    icon: "layout",
    keys: "l",
    when: (editor) => editable(editor) && hasTab(editor),
    async run(editor) {
      const tab = editor.tabs.current();
      if (!tab) return;
      const graph = graphOf(tab);
      const ids = selectedNodes(editor);
      const wanted = ids.length > 1 ? ids : Object.keys(graph.nodes);
      const next = await autolayout(graph, workflowOf(tab), library(editor), wanted);
      const now = editor.tabs.current();
      // Somebody may have gone on editing while the layout was loaded.
      if (now && graphOf(now) === graph) editor.tabs.editGraph(() => next);
    },
  },
  ...ALIGNS,
];
