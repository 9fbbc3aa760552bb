/** Workflows that are saved on the server, with their versions, and templates. */

import { useEffect, useState } from "react";
import { useEditor, useShelf } from "../editor";
import type { WorkflowInfo, WorkflowVersion } from "../gen/api";
import { sentenceOf } from "../server/api";
import { EmptyState } from "../ui/Badge";
import { Button, IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import { SearchField } from "../ui/TextField";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function WorkflowsPanel() {
  const { shelf, ui } = useEditor();
  const workflows = useShelf((state) => state.workflows);
  const [typed, setTyped] = useState("");
  useEffect(() => void shelf.load(), [shelf]);
  const query = typed.trim().toLowerCase();
  const own = workflows.filter(
    (one) => !one.template && `${one.path} ${one.name}`.toLowerCase().includes(query),
  );
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
      <ul className={css.list} aria-label="Saved workflows">
        {own.map((info) => (
          <Saved key={info.path} info={info} />
        ))}
      </ul>
    </Panel>
  );
}

function Saved({ info }: { info: WorkflowInfo }) {
  const { api, actions, questions, ui, shelf } = useEditor();
  const [versions, setVersions] = useState<readonly WorkflowVersion[]>([]);
  const remove = async () => {
    const yes = await questions.ask({
      title: `Delete the workflow ${info.path}?`,
      description: "Its versions can still be opened by their address.",
      action: "Delete",
      danger: true,
    });
    if (!yes) return;
    try {
      await api.deleteWorkflow(info.path, info.etag);
      await shelf.load();
    } catch (error) {
      ui.toast("error", `'${info.path}' is not deleted: ${sentenceOf(error)}`);
    }
  };
  const load = () =>
    api
      .versions(info.path)
      .then(setVersions, (error: unknown) =>
        ui.toast("error", `Versions cannot be listed: ${sentenceOf(error)}`),
      );
  return (
    <li className={css.item}>
      <button
        type="button"
        className={`${css.plain} ${css.grow}`}
        title={info.problem || info.name}
        onClick={() => void actions.files.openSaved(info.path)}
      >
        {info.path}
        <div className={info.problem ? css.bad : css.muted}>
          {info.problem || new Date(1000 * info.modified).toLocaleString()}
        </div>
      </button>
      <Menu
        trigger={<IconButton icon="more" label={`More of ${info.path}`} />}
        onOpenChange={(open) => void (open && load())}
        items={[
          { label: "Delete", icon: "trash", danger: true, run: () => void remove() },
          { heading: "Versions" },
          ...versions.map((version) => ({
            label: `${version.number}: ${new Date(1000 * version.time).toLocaleString()}`,
            run: () => void actions.files.openVersion(info.path, version.number),
          })),
        ]}
      />
    </li>
  );
}
