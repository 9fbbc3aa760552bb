/** Where a wire may lead that was begun by keys: sockets of other nodes, the nearest first. */

import { useMemo, useState } from "react";
import { focusSocket } from "../canvas/focus";
import { reveal } from "../canvas/reveal";
import { useSocketLook } from "../canvas/Socket";
import { tryConnect } from "../canvas/useConnecting";
import { geometry } from "../doc/geometry";
import { faceOf, inputOf } from "../doc/library";
import { type Candidate, candidates, socketLabel, socketType } from "../doc/sockets";
import { titleOf } from "../doc/titles";
import type { Editor } from "../editor";
import { useEditor, useLibrary, useTab, useUi } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import type { Wiring } from "../store/ui";
import { type ListRow, SearchList } from "../ui/SearchList";
import css from "./WiringBox.module.css";

export function WiringBox() {
  const wiring = useUi((state) => state.wiring);
  return wiring && <Box start={wiring.start} />;
}

/** A socket that is there, or null for that of a node which is still to be added. */
type Aim = Candidate | null;

function Box({ start }: { start: Wiring["start"] }) {
  const editor = useEditor();
  const library = useLibrary((state) => state.library);
  const graph = useTab(graphOf);
  const workflow = useTab(workflowOf);
  const [typed, setTyped] = useState("");
  const rows = useMemo(() => {
    const all = graph && workflow ? candidates(start, graph, workflow, library) : [];
    return rowsOf(all, typed);
  }, [start, graph, workflow, library, typed]);
  if (!graph || !workflow) return null;
  const type = socketType(start, graph, workflow, library);
  const name = `${socketLabel(start)}: ${type} ${start.side}`;
  const stop = () => {
    editor.ui.setState({ wiring: null });
    focusSocket(editor, start);
  };
  return (
    <section
      className={css.box}
      aria-label="Connect"
      onBlur={(event) => {
        // Whoever goes elsewhere has stopped; nothing is focused while the box itself goes away.
        if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) {
          editor.ui.setState({ wiring: null });
        }
      }}
    >
      <p className={css.from}>
        {titleOf(start.node, graph, workflow, library)} · {name}
      </p>
      <SearchList<Aim>
        label={`Connect ${name}`}
        listLabel={start.side === "output" ? "Inputs that it may lead to" : "Outputs that fit"}
        placeholder="Arrows choose, letters search, Enter connects"
        typed={typed}
        onType={setTyped}
        rows={rows}
        row={(aim) => <Row aim={aim} />}
        empty="No socket is called like that."
        onClose={stop}
        onActive={(aim) => {
          editor.ui.setState({ wiring: { start, aim: aim?.socket ?? null } });
          if (aim) reveal(editor, start.node, aim.socket.node);
        }}
        onChoose={(aim) => {
          if (aim === null) searchNode(editor, start, type);
          else if (draw(editor, start, aim)) stop();
        }}
      />
    </section>
  );
}

function rowsOf(all: readonly Candidate[], typed: string): ListRow<Aim>[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  // What does not fit is shown to those who look for it, with the reason.
  const found = all.filter((aim) => {
    const text = `${aim.title} ${aim.label} ${aim.type}`.toLowerCase();
    return words.length > 0 ? words.every((word) => text.includes(word)) : aim.refusal === null;
  });
  const rows = found.map((aim): ListRow<Aim> => {
    const { node, side, name, index } = aim.socket;
    const more = aim.refusal ?? (aim.replaces === null ? "" : `in place of ${aim.replaces}`);
    return {
      key: `${node}/${side}/${name}/${index ?? ""}`,
      value: aim,
      name: `${aim.title}, ${aim.label}: ${aim.type} ${side}${more && `, ${more}`}`,
      disabled: aim.refusal !== null,
    };
  });
  return typed === "" ? [...rows, { key: "new", value: null }] : rows;
}

function Row({ aim }: { aim: Aim }) {
  const look = useSocketLook(aim?.type ?? "");
  if (aim === null) return <span className={css.label}>A new node …</span>;
  const more = aim.refusal ?? (aim.replaces === null ? aim.type : `in place of ${aim.replaces}`);
  return (
    <>
      <span className={css.dot} style={{ background: look.colour }} />
      <span className={css.label}>
        {aim.title} · {aim.label}
      </span>
      <span className={css.more}>{more}</span>
    </>
  );
}

/** Draw the wire; gives whether it was drawn, else it was said why not. */
function draw(editor: Editor, start: Wiring["start"], { socket }: Candidate): boolean {
  const [output, input] = start.side === "output" ? [start, socket] : [socket, start];
  const end = { node: input.node, input: input.name, index: input.index };
  return tryConnect(editor, { from: { node: output.node, output: output.name }, via: [] }, end);
}

/** Room between a node and the one that is added for its wire. */
const GAP = 80;

/** Ask which node shall be added for the wire, beside the one where it begins. */
function searchNode(editor: Editor, start: Wiring["start"], type: string): void {
  const tab = editor.tabs.current();
  const entry = tab && graphOf(tab).nodes[start.node];
  if (!tab || !entry) return;
  const { library } = editor.library.getState();
  const layout = graphOf(tab).layout.nodes?.[start.node];
  const face = faceOf(start.node, entry, graphOf(tab), workflowOf(tab), library);
  const { width } = geometry(entry, face, layout);
  const [x, y] = layout?.at ?? [0, 0];
  const output = start.side === "output";
  const at = [output ? x + width + GAP : x - width - GAP, y] as const;
  const to = {
    node: start.node,
    input: start.name,
    index: start.index,
    grows: inputOf(face, start.name)?.grows ?? false,
  };
  const from = { node: start.node, output: start.name };
  editor.ui.setState({
    wiring: null,
    search: {
      at,
      screen: editor.canvas.toScreen(at),
      loose: { from: output ? from : null, to: output ? null : to, type, via: [] },
      free: true,
    },
  });
}
