/** Drawing wires: from a socket to a socket, onto nothing, or by the end of a wire that is there. */

import type {
  Connection,
  FinalConnectionState,
  HandleType,
  OnConnectEnd,
  OnConnectStart,
} from "@xyflow/react";
import { useMemo, useRef } from "react";
import { connect, disconnect } from "../doc/edits";
import { readInput, type WireEnd, wireEnd, wireKey } from "../doc/inputs";
import { outputType, refuse } from "../doc/joins";
import { faceOf, inputOf } from "../doc/library";
import { extendFrom } from "../doc/reroutes";
import { type Graph, type Item, idOf, kindOf, type LinkRef } from "../doc/types";
import type { Editor } from "../editor";
import { useEditor } from "../editor";
import { graphOf, type Tab, workflowOf } from "../store/tabs";
import type { FlowEdge, FlowNode } from "./flow";
import { inputEnd, outputName } from "./ports";

interface Start {
  readonly from: LinkRef;
  readonly via: readonly string[];
}

/** What a source socket stands for: an output, or what passes a reroute. */
function startAt(graph: Graph, key: Item, handle: string): Start | null {
  if (kindOf(key) === "r") return extendFrom(graph, idOf(key));
  return { from: { node: idOf(key), output: outputName(handle) }, via: [] };
}

/** Where a wire ends that is drawn to a socket: an input, or null for a reroute. */
const endAt = (key: Item, handle: string): WireEnd | null =>
  kindOf(key) === "n" ? inputEnd(idOf(key), handle) : null;

/** Draw a wire if it may be; else say why not. Gives whether it was drawn. */
export function tryConnect(editor: Editor, start: Start, end: WireEnd, moved?: string): boolean {
  const tab = editor.tabs.current();
  if (!tab) return false;
  const graph = graphOf(tab);
  const workflow = workflowOf(tab);
  const { library } = editor.library.getState();
  const sentence = refuse(graph, workflow, library, start.from, end);
  if (sentence) {
    editor.ui.say(sentence);
    return false;
  }
  const entry = graph.nodes[end.node];
  const port = entry && inputOf(faceOf(end.node, entry, graph, workflow, library), end.input);
  editor.tabs.editGraph((now) => {
    const freed = moved !== undefined && moved !== wireKey(end) ? disconnect(now, moved) : now;
    return connect(freed, start.from, { ...end, grows: port?.grows ?? false }, start.via);
  });
  editor.ui.say(`Connected ${start.from.output || start.from.node} to ${end.input}.`);
  return true;
}

/** The wire that ends in an input now; null if none does. */
function wireAt(graph: Graph, end: WireEnd): { key: string; from: LinkRef } | null {
  const raw = graph.nodes[end.node]?.inputs?.[end.input];
  const source = raw === undefined ? null : readInput(raw);
  if (source?.kind === "link" && !end.index)
    return { key: wireKey({ ...end, index: null }), from: source.link };
  const link = source?.kind === "links" && end.index !== null ? source.links[end.index] : undefined;
  return link ? { key: wireKey(end), from: link } : null;
}

export function useConnecting() {
  const editor = useEditor();
  const pulled = useRef<{ key: string; from: LinkRef } | null>(null);
  return useMemo(() => {
    const settle = (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const tab = editor.tabs.current();
      const { fromNode, fromHandle, toNode, toHandle } = state;
      if (!tab || !fromNode || !fromHandle?.id) return;
      const graph = graphOf(tab);
      const source = fromHandle.type === "source";
      const start = source ? startAt(graph, fromNode.id as Item, fromHandle.id) : null;
      const end = source ? null : endAt(fromNode.id as Item, fromHandle.id);
      if (!toNode || !toHandle?.id) return dropped(editor, tab, event, start, end);
      const to = { key: toNode.id as Item, handle: toHandle.id, type: toHandle.type };
      if (start && to.type === "target") {
        const target = endAt(to.key, to.handle);
        if (target) tryConnect(editor, start, target, pulled.current?.key);
      } else if (end && to.type === "source") {
        const begun = startAt(graph, to.key, to.handle);
        if (begun) tryConnect(editor, begun, end);
      } else if (end && to.type === "target") {
        // From an input to an input: the wire moves over.
        const wire = wireAt(graph, end);
        const target = endAt(to.key, to.handle);
        if (wire && target) tryConnect(editor, { from: wire.from, via: [] }, target, wire.key);
        else editor.ui.say("A wire leads from an output to an input.");
      } else editor.ui.say("A wire leads from an output to an input.");
    };
    return {
      onConnectStart: (() => {
        pulled.current = null;
      }) satisfies OnConnectStart,
      onConnectEnd: settle satisfies OnConnectEnd<FlowNode>,
      onReconnect: (edge: FlowEdge, connection: Connection) => {
        const tab = editor.tabs.current();
        const [key] = edge.data?.wires ?? [];
        if (!tab || !key || !connection.targetHandle) return;
        const end = endAt(connection.target as Item, connection.targetHandle);
        const start = startAt(graphOf(tab), edge.source as Item, edge.sourceHandle ?? "");
        if (end && start) tryConnect(editor, start, end, key);
      },
      onReconnectEnd: (
        event: MouseEvent | TouchEvent,
        edge: FlowEdge,
        _: HandleType,
        state: FinalConnectionState,
      ) => {
        if (state.toNode) return;
        const tab = editor.tabs.current();
        const [key] = edge.data?.wires ?? [];
        if (tab && key) dropped(editor, tab, event, null, wireEnd(key));
      },
    };
  }, [editor]);
}

/** A wire was let go over nothing: pull off what was there, or ask which node it shall lead to. */
function dropped(
  editor: Editor,
  tab: Tab,
  event: MouseEvent | TouchEvent,
  start: Start | null,
  end: WireEnd | null,
): void {
  const graph = graphOf(tab);
  const wire = end && wireAt(graph, end);
  if (wire) {
    editor.tabs.editGraph((now) => disconnect(now, wire.key));
    editor.ui.say("The wire is gone.");
    return;
  }
  const touch = "changedTouches" in event ? event.changedTouches[0] : event;
  if (!touch) return;
  const screen = [touch.clientX, touch.clientY] as const;
  const workflow = workflowOf(tab);
  const { library } = editor.library.getState();
  const entry = end ? graph.nodes[end.node] : undefined;
  const port =
    end && entry ? inputOf(faceOf(end.node, entry, graph, workflow, library), end.input) : null;
  const type = start ? outputType(start.from, graph, workflow, library) : (port?.type ?? "any");
  editor.ui.setState({
    search: {
      at: editor.canvas.toCanvas(screen),
      screen,
      loose: {
        from: start?.from ?? null,
        via: start?.via ?? [],
        to: end && { ...end, grows: port?.grows ?? false },
        type,
      },
    },
  });
}
