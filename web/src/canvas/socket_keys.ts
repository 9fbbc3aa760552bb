/** Keys on a socket: arrows walk the sockets of its node, Enter begins a wire, Delete takes one away. */

import type { KeyboardEvent } from "react";
import { disconnect } from "../doc/edits";
import { wireKey } from "../doc/inputs";
import { type Socket, socketsOf, sourceOf, waitingSocket } from "../doc/sockets";
import type { Editor } from "../editor";
import { graphOf, LOCKED, type Tab, workflowOf } from "../store/tabs";
import { focusNode, focusSocket } from "./focus";

/** Focus the socket of a node that most likely waits for a wire. */
export function focusSockets(editor: Editor, node: string): void {
  const tab = editor.tabs.current();
  if (!tab) return;
  const { library } = editor.library.getState();
  const socket = waitingSocket(node, graphOf(tab), workflowOf(tab), library);
  if (socket) focusSocket(editor, socket);
  else editor.ui.say("This node has no sockets.");
}

/** Begin a wire at a socket: what it may lead to is listed, and the keys go there. */
function beginWire(editor: Editor, socket: Socket): void {
  if (editor.tabs.current()?.locked) editor.ui.say(LOCKED);
  else editor.ui.setState({ wiring: { start: socket, aim: null } });
}

export function onSocketKey(editor: Editor, event: KeyboardEvent, socket: Socket): void {
  const tab = editor.tabs.current();
  if (!tab || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = neighbour(editor, tab, socket, event.key);
  if (next) focusSocket(editor, next);
  else if (event.key === "Enter" || event.key === " ") beginWire(editor, socket);
  else if (event.key === "Delete" || event.key === "Backspace") pullWire(editor, tab, socket);
  else if (event.key === "Escape") focusNode(editor, socket.node);
  else if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
}

/** The socket that a key leads to; null if it leads nowhere. */
function neighbour(editor: Editor, tab: Tab, socket: Socket, key: string): Socket | null {
  const { library } = editor.library.getState();
  const all = socketsOf(socket.node, graphOf(tab), workflowOf(tab), library);
  const same = ({ side, name, index }: Socket) =>
    side === socket.side && name === socket.name && index === socket.index;
  const at = all.findIndex(same);
  const side = (wanted: Socket["side"]) =>
    socket.side === wanted ? null : (all.find((one) => one.side === wanted) ?? null);
  switch (key) {
    case "ArrowDown":
      return all[at + 1] ?? null;
    case "ArrowUp":
      return all[at - 1] ?? null;
    case "ArrowLeft":
      return side("input");
    case "ArrowRight":
      return side("output");
    case "Home":
      return all[0] ?? null;
    case "End":
      return all.at(-1) ?? null;
    default:
      return null;
  }
}

function pullWire(editor: Editor, tab: Tab, socket: Socket): void {
  const { node, side, name: input, index } = socket;
  if (side === "output") {
    editor.ui.say("A wire is taken away where it ends, at an input.");
  } else if (!sourceOf(graphOf(tab), socket)) {
    editor.ui.say(`No wire ends at ${input}.`);
  } else if (tab.locked) {
    editor.ui.say(LOCKED);
  } else {
    const single = !Array.isArray(graphOf(tab).nodes[node]?.inputs?.[input]);
    const key = wireKey({ node, input, index: single ? null : index });
    editor.tabs.editGraph((graph) => disconnect(graph, key));
    editor.ui.say("The wire is gone.");
  }
}
