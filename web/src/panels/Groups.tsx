/** The groups of the workflow: how often each is called, other names, and those that nothing calls. */

import { runCommand } from "../commands/command";
import { unusedGroups } from "../doc/calls";
import { countCalls } from "../doc/groups";
import { useEditor, useTab } from "../editor";
import { workflowOf } from "../store/tabs";
import { Button, IconButton } from "../ui/Button";
import css from "./Panel.module.css";

export function Groups() {
  const editor = useEditor();
  const workflow = useTab(workflowOf);
  const locked = useTab((tab) => tab.locked) ?? false;
  if (!workflow || Object.keys(workflow.groups).length === 0) return null;
  const counts = [...countCalls(workflow)].sort(([a], [b]) => a.localeCompare(b));
  const unused = unusedGroups(workflow);
  return (
    <>
      <h3 className={css.heading}>Groups</h3>
      <ul className={css.list} aria-label="Groups of the workflow">
        {counts.map(([name, count]) => (
          <li key={name} className={css.item}>
            <span className={css.grow}>
              {name} <span className={css.muted}>{callsSaid(count, unused.includes(name))}</span>
            </span>
            <IconButton
              icon="edit"
              small
              label={`Rename ${name}`}
              disabled={locked}
              onClick={() => editor.ui.show({ kind: "group-name", group: name })}
            />
          </li>
        ))}
      </ul>
      {unused.length > 0 && (
        <Button
          icon="trash"
          disabled={locked}
          onClick={() => runCommand(editor, "graph.groups-drop")}
        >
          Drop what nothing calls
        </Button>
      )}
    </>
  );
}

function callsSaid(count: number, unused: boolean): string {
  if (count === 0) return "nothing calls it";
  if (unused) return "only groups call it that nothing calls";
  return count === 1 ? "called once" : `called ${count} times`;
}
