import { unusedGroups } from "../doc/calls";
import { dropUnusedGroups, groupOfItsOwn, makeGroup, unpackGroup } from "../doc/groups";
import { groupAt, groupOf } from "../doc/scope";
import type { Editor } from "../editor";
import { workflowOf } from "../store/tabs";
import type { Command } from "./command";
import { editable, graphInView, meant, nodesSelected, selectedNodes } from "./selection";

const library = (editor: Editor) => editor.library.getState().library;

/** The only selected call of a group; null if another thing is selected. */
function selectedCall(editor: Editor): string | null {
  const [id, ...more] = selectedNodes(editor);
  const entry = id === undefined ? undefined : graphInView(editor)?.nodes[id];
  return id !== undefined && entry && more.length === 0 && groupOf(entry.type) !== null ? id : null;
}

/** The group that the selected node calls, else the one that is in view; null without either. */
function groupAtHand(editor: Editor): string | null {
  const tab = editor.tabs.current();
  if (!tab) return null;
  const call = selectedCall(editor);
  if (call === null) return groupAt(workflowOf(tab), tab.scope) ?? null;
  return groupOf(graphInView(editor)?.nodes[call]?.type ?? "");
}

const unused = (editor: Editor): string[] => {
  const tab = editor.tabs.current();
  return tab ? unusedGroups(workflowOf(tab)) : [];
};

export const GROUP_COMMANDS: readonly Command[] = [
  {
    id: "graph.group",
    title: "Make a group of the selection",
    group: "Graph",
    icon: "group",
    keys: "Mod+Shift+g",
    when: nodesSelected,
    run(editor) {
      const ids = meant(editor);
      const tab = editor.tabs.current();
      if (!tab) return;
      const made = makeGroup(workflowOf(tab), tab.scope, ids, "Group", library(editor));
      editor.tabs.edit(() => made.workflow);
      editor.tabs.select([`n:${made.call}`]);
      editor.ui.say("A group was made; double click enters it.");
    },
  },
  {
    id: "graph.ungroup",
    title: "Unpack the group",
    group: "Graph",
    icon: "ungroup",
    keys: "Mod+Shift+u",
    when: (editor) => editable(editor) && selectedCall(editor) !== null,
    run(editor) {
      const tab = editor.tabs.current();
      const call = selectedCall(editor);
      if (!tab || call === null) return;
      const made = unpackGroup(workflowOf(tab), tab.scope, call, library(editor));
      editor.tabs.edit(() => made.workflow);
      editor.tabs.select(made.items);
    },
  },
  {
    id: "graph.enter",
    title: "Enter the group",
    group: "Graph",
    keys: "Mod+Shift+e",
    when: (editor) => selectedCall(editor) !== null,
    run(editor) {
      const call = selectedCall(editor);
      if (call !== null) editor.tabs.enter(call);
    },
  },
  {
    id: "graph.leave",
    title: "Leave the group",
    group: "Graph",
    keys: "Mod+Shift+l",
    when: ({ tabs }) => (tabs.current()?.scope.length ?? 0) > 0,
    run: ({ tabs }) => tabs.leave((tabs.current()?.scope.length ?? 1) - 1),
  },
  {
    id: "graph.group-name",
    title: "Rename the group",
    group: "Graph",
    keys: "Shift+F2",
    when: (editor) => editable(editor) && groupAtHand(editor) !== null,
    run(editor) {
      const group = groupAtHand(editor);
      if (group !== null) editor.ui.show({ kind: "group-name", group });
    },
  },
  {
    id: "graph.group-own",
    title: "Give the node a group of its own",
    group: "Graph",
    keys: "Shift+g",
    when: (editor) => editable(editor) && selectedCall(editor) !== null,
    run(editor) {
      const tab = editor.tabs.current();
      const call = selectedCall(editor);
      if (!tab || call === null) return;
      const made = groupOfItsOwn(workflowOf(tab), tab.scope, call);
      editor.tabs.edit(() => made.workflow);
      editor.ui.say(`The node calls '${made.name}' now; other calls stay as they are.`);
    },
  },
  {
    id: "graph.groups-drop",
    title: "Drop the groups that nothing calls",
    group: "Graph",
    when: (editor) => editable(editor) && unused(editor).length > 0,
    run(editor) {
      const names = unused(editor);
      editor.tabs.edit(dropUnusedGroups);
      editor.ui.say(`Dropped ${names.map((name) => `'${name}'`).join(", ")}.`);
    },
  },
];
