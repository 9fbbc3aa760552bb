/** The bar at the top: the menu, saving, the two views, and running. */

import { runCommand } from "../commands/command";
import { mainMenu } from "../commands/menus";
import { useEditor, useRuns, useSettings, useTab, useUi } from "../editor";
import { isUnsaved } from "../store/tabs";
import { Button, IconButton } from "../ui/Button";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/Menu";
import css from "./TopBar.module.css";

export function TopBar() {
  const editor = useEditor();
  useUi((state) => state.dialog); // what the menu's entries can do may have changed
  const unsaved = useTab(isUnsaved) ?? false;
  const can = useTab((tab) => `${tab.history.past.length > 0}${tab.history.future.length > 0}`);
  const run = (id: string) => () => runCommand(editor, id);
  return (
    <header className={css.bar}>
      <Menu
        trigger={
          <button type="button" className={css.menu} aria-label="nodeflow menu">
            <Icon name="outline" />
            <span className={css.name}>nodeflow</span>
          </button>
        }
        items={mainMenu(editor)}
      />
      <IconButton icon="folder" label="Open a workflow" keys="Mod+O" onClick={run("file.open")} />
      <IconButton
        icon="save"
        label={unsaved ? "Save (unsaved changes)" : "Save"}
        keys="Mod+S"
        onClick={run("file.save")}
      />
      <IconButton
        icon="undo"
        label="Undo"
        keys="Mod+Z"
        disabled={!can?.startsWith("true")}
        onClick={run("edit.undo")}
      />
      <IconButton
        icon="redo"
        label="Redo"
        keys="Mod+Shift+Z"
        disabled={!can?.endsWith("true")}
        onClick={run("edit.redo")}
      />
      <Button look="quiet" icon="search" keys="Mod+K" onClick={run("view.palette")}>
        Commands
      </Button>
      <span className={css.space} />
      <ViewSwitch />
      <RunControls />
    </header>
  );
}

function ViewSwitch() {
  const { tabs } = useEditor();
  const view = useTab((tab) => tab.view);
  const show = (next: "graph" | "form") => {
    const tab = tabs.current();
    if (tab) tabs.patch(tab.id, { view: next });
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: two buttons are no form
    <div className={css.views} role="group" aria-label="View">
      <button type="button" aria-pressed={view === "graph"} onClick={() => show("graph")}>
        <Icon name="node" size={14} /> Graph
      </button>
      <button type="button" aria-pressed={view === "form"} onClick={() => show("form")}>
        <Icon name="form" size={14} /> Form
      </button>
    </div>
  );
}

function RunControls() {
  const editor = useEditor();
  const batch = useSettings((state) => state.values.batch);
  const job = useTab((tab) => tab.job);
  const status = useRuns((state) => (job ? state.jobs[job]?.status : undefined));
  const waiting = useRuns((state) => state.queued.length);
  const active = status === "running" || status === "queued";
  return (
    <div className={css.run}>
      <label className={css.batch}>
        <span className="visually-hidden">Batch count</span>
        <input
          type="number"
          min={1}
          max={1000}
          value={batch}
          title="How many jobs a press on Run hands in; their seeds count up"
          onChange={(event) => {
            const count = Math.round(event.target.valueAsNumber);
            if (count >= 1 && count <= 1000) editor.settings.set({ batch: count });
          }}
        />
        ×
      </label>
      <Button
        look="primary"
        icon="play"
        keys="Mod+Enter"
        onClick={() => runCommand(editor, "run.start")}
      >
        Run
      </Button>
      <Button icon="stop" disabled={!active} onClick={() => runCommand(editor, "run.cancel")}>
        Cancel
      </Button>
      <button
        type="button"
        className={css.queue}
        aria-label={`Queue: ${waiting} waiting`}
        onClick={() => editor.ui.toggleRight("queue")}
      >
        <Icon name="queue" /> {waiting}
      </button>
    </div>
  );
}
