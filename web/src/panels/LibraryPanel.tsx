/** All nodes, by category: a click or Enter adds one in the middle, a drag where it is let go. */

import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { boxAround } from "../canvas/hit";
import { isSeen, middleSeen } from "../canvas/reveal";
import { DRAGGED_TYPE } from "../canvas/useDrops";
import { searchNodes } from "../doc/search";
import { summaryOf } from "../doc/titles";
import type { Editor } from "../editor";
import { useEditor, useLibrary, useSettings } from "../editor";
import type { NodeSpec } from "../gen/nodes";
import { Icon } from "../ui/icons";
import { SearchField } from "../ui/TextField";
import { Tree, type TreeRow } from "../ui/Tree";
import css from "./LibraryPanel.module.css";
import { type Entry, flatRows, treeRows } from "./library_rows";
import { Panel } from "./Panel";

const ALL = { limit: Number.POSITIVE_INFINITY };

export function LibraryPanel() {
  const editor = useEditor();
  const library = useLibrary((state) => state.library);
  const favourites = useSettings((state) => state.values.favourites);
  const [typed, setTyped] = useState("");
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const found = useMemo(() => searchNodes(library, typed, ALL), [library, typed]);
  const rows = useMemo(() => {
    if (typed.trim()) return flatRows(found);
    const loved = favourites.flatMap((id) => library.nodes[id] ?? []);
    return treeRows(found, loved, folded);
  }, [found, library, typed, favourites, folded]);
  const toggle = ({ key }: TreeRow<Entry>) => {
    const next = new Set(folded);
    if (!next.delete(key)) next.add(key);
    setFolded(next);
  };
  const searchKeys = (event: KeyboardEvent) => {
    const [first] = found;
    if (event.key === "ArrowDown") box.current?.querySelector<HTMLElement>("[role=tree]")?.focus();
    else if (event.key === "Enter" && first && typed.trim()) add(editor, first);
    else return;
    event.preventDefault();
  };
  return (
    <Panel
      title="Nodes"
      fill
      search={
        <SearchField
          label="Search the library"
          value={typed}
          onChange={setTyped}
          onKeyDown={searchKeys}
        />
      }
    >
      <div ref={box} className={css.tree}>
        <Tree<Entry>
          label="Nodes by category"
          rows={rows}
          row={(entry) => <Row entry={entry} />}
          name={(entry) => nameOf(entry, favourites)}
          onToggle={toggle}
          onEnter={(row) => {
            if (row.value.kind === "node") add(editor, row.value.spec);
            else toggle(row);
          }}
          onSpace={(entry) => entry.kind === "node" && love(editor, entry.spec)}
          dragged={(entry) => (entry.kind === "node" ? [DRAGGED_TYPE, entry.spec.id] : null)}
        />
      </div>
      {rows.length === 0 && typed.trim() && (
        <p className={css.note}>No node is called like that.</p>
      )}
      <Packs />
    </Panel>
  );
}

function nameOf(entry: Entry, favourites: readonly string[]): string | undefined {
  if (entry.kind === "category") return undefined;
  return favourites.includes(entry.spec.id) ? `${entry.spec.title}, favourite` : entry.spec.title;
}

/** Half of what most nodes measure, so that they lie about the middle. */
const HALF = [130, 90] as const;

function add(editor: Editor, spec: NodeSpec): void {
  const [x, y] = middleSeen(editor);
  const id = editor.actions.nodes.addNear(spec.id, [x - HALF[0], y - HALF[1]]);
  if (id === null) return;
  editor.ui.say(`Added ${spec.title}.`);
  const made = boxAround(editor, [`n:${id}`]);
  if (made && !isSeen(editor, [made.x, made.y])) editor.canvas.centre(made);
}

/** Make a node a favourite, or no longer. */
function love({ settings, ui }: Editor, { id, title }: NodeSpec): void {
  const now = settings.getState().values.favourites;
  const loved = now.includes(id);
  settings.set({ favourites: loved ? now.filter((one) => one !== id) : [...now, id] });
  ui.say(loved ? `${title} is no favourite any more.` : `${title} is a favourite.`);
}

function Row({ entry }: { entry: Entry }) {
  const editor = useEditor();
  const id = entry.kind === "node" ? entry.spec.id : "";
  const loved = useSettings((state) => state.values.favourites.includes(id));
  if (entry.kind === "category") {
    return (
      <>
        <span className={css.category}>{entry.name}</span>{" "}
        <span className={css.count}>
          {entry.count}
          <span className="visually-hidden"> {entry.count === 1 ? "node" : "nodes"}</span>
        </span>
      </>
    );
  }
  const { spec } = entry;
  return (
    <>
      <span className={css.title} title={summaryOf(spec.description)}>
        {spec.title}
      </span>
      <button
        type="button"
        className={css.star}
        tabIndex={-1}
        aria-label={`${spec.title} is a favourite`}
        aria-pressed={loved}
        title={loved ? "No longer a favourite (Space)" : "Make it a favourite (Space)"}
        onClick={(event) => {
          event.stopPropagation();
          love(editor, spec);
        }}
      >
        <Icon name={loved ? "star-filled" : "star"} size={14} />
      </button>
    </>
  );
}

/** Packs that are still being read, and those that cannot be used, with the reason. */
function Packs() {
  const { ui } = useEditor();
  const faults = useLibrary((state) => state.faults);
  const pending = useLibrary((state) => state.pending);
  const trouble = useLibrary((state) => state.trouble);
  return (
    <div className={css.packs}>
      <p role="status" className={css.note}>
        {pending.length > 0 && `Reading ${pending.join(", ")} …`}
        {trouble && ` ${trouble}`}
      </p>
      {faults.map(({ pack, sentence, trace }) => (
        <p key={pack} className={css.fault}>
          Pack {pack}: {sentence}{" "}
          <button
            type="button"
            onClick={() => ui.show({ kind: "trace", node: pack, sentence, trace })}
          >
            Details
          </button>
        </p>
      ))}
    </div>
  );
}
