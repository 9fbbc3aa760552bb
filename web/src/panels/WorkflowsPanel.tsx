/** Workflows that are saved on the server, by their folders, and templates. */

import { useEffect, useState } from "react";
import { useEditor, useShelf } from "../editor";
import type { WorkflowInfo } from "../gen/api";
import { EmptyState } from "../ui/Badge";
import { Button } from "../ui/Button";
import { SearchField } from "../ui/TextField";
import { type Folder, treeOf } from "./folders";
import { Panel } from "./Panel";
import css from "./Panel.module.css";
import { SavedRow } from "./SavedRow";

export function WorkflowsPanel() {
  const { shelf, ui } = useEditor();
  const workflows = useShelf((state) => state.workflows);
  const [typed, setTyped] = useState("");
  useEffect(() => void shelf.load(), [shelf]);
  const query = typed.trim().toLowerCase();
  const found = workflows.filter((one) =>
    `${one.path} ${one.name} ${one.description}`.toLowerCase().includes(query),
  );
  const own = found.filter((one) => !one.template);
  const templates = found.filter((one) => one.template);
  return (
    <Panel
      title="Workflows"
      actions={
        <Button icon="gallery" onClick={() => ui.show({ kind: "templates" })}>
          Templates
        </Button>
      }
      search={<SearchField label="Search workflows" value={typed} onChange={setTyped} />}
    >
      {own.length === 0 && (
        <EmptyState
          icon="folder"
          title={query ? "No workflow is called like that" : "Nothing is saved yet"}
        >
          Ctrl+S saves the workflow in view.
        </EmptyState>
      )}
      <Branch folder={treeOf(own)} label="Saved workflows" />
      {templates.length > 0 && <h3 className={css.heading}>Templates</h3>}
      <ul className={css.list} aria-label="Templates">
        {templates.map((info) => (
          <Template key={info.path} info={info} />
        ))}
      </ul>
    </Panel>
  );
}

/** What lies in a folder: its folders, which open and close, and its workflows. */
function Branch({ folder, label }: { folder: Folder; label: string }) {
  return (
    <ul className={css.list} aria-label={label}>
      {folder.folders.map((inner) => (
        <li key={inner.path}>
          <details open className={css.folder}>
            <summary className={css.heading}>{inner.name}</summary>
            <Branch folder={inner} label={inner.path} />
          </details>
        </li>
      ))}
      {folder.workflows.map((info) => (
        <SavedRow key={info.path} info={info} />
      ))}
    </ul>
  );
}

function Template({ info }: { info: WorkflowInfo }) {
  const { actions } = useEditor();
  return (
    <li className={css.item}>
      <button
        type="button"
        className={`${css.plain} ${css.grow}`}
        title={info.description}
        onClick={() => void actions.files.openSaved(info.path, { template: true })}
      >
        {info.name}
      </button>
    </li>
  );
}
