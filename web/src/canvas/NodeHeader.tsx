/** The top of a card: what the node is, and what became of it in the newest run. */

import { memo } from "react";
import { bypassSaid } from "../doc/bypass";
import { withNodeLayout } from "../doc/edits";
import { useEditor, useLibrary, useTab, useUi } from "../editor";
import type { NodeRun } from "../store/runs";
import { graphOf, workflowOf } from "../store/tabs";
import { Icon } from "../ui/icons";
import { Tooltip } from "../ui/Tooltip";
import { badgeOf } from "./badge";
import { focusNode } from "./focus";
import css from "./NodeHeader.module.css";
import { StepText } from "./StepText";
import { TitleInput } from "./TitleInput";
import { type NodeView, useJobActive } from "./useNode";

interface HeaderProps {
  readonly id: string;
  readonly view: NodeView;
  readonly run: NodeRun | undefined;
  readonly title: string;
}

export const NodeHeader = memo(function NodeHeader({ id, view, run, title }: HeaderProps) {
  const { tabs, ui } = useEditor();
  const renaming = useUi((state) => state.renaming === `n:${id}`);
  const setRenaming = (on: boolean) => ui.setState({ renaming: on ? `n:${id}` : null });
  const { entry, layout, face, shape } = view;
  const toggle = () =>
    tabs.editGraph((graph) =>
      withNodeLayout(graph, id, ({ collapsed, ...rest }) =>
        collapsed ? rest : { ...rest, collapsed: true },
      ),
    );
  return (
    <header className={css.header} data-group={face.group !== null || undefined}>
      <button
        type="button"
        className={`${css.fold} nodrag`}
        aria-label={shape.collapsed ? `Unfold ${title}` : `Fold ${title}`}
        aria-expanded={!shape.collapsed}
        tabIndex={-1}
        onClick={toggle}
      >
        <Icon name={shape.collapsed ? "chevron-right" : "chevron-down"} />
      </button>
      {renaming ? (
        <Rename id={id} title={title} done={() => setRenaming(false)} />
      ) : (
        // biome-ignore lint/a11y/noStaticElementInteractions: F2 renames from the keyboard
        <span
          className={css.title}
          title={face.spec?.id ?? entry.type}
          onDoubleClick={(event) => {
            if (face.group !== null) return; // a double click enters the group
            event.stopPropagation();
            setRenaming(true);
          }}
        >
          {title}
        </span>
      )}
      {face.spec?.deprecated && (
        <Tooltip text={`Deprecated: ${face.spec.deprecated}`}>
          <span className={css.mark}>
            <Icon name="warning" />
          </span>
        </Tooltip>
      )}
      {layout?.comment && (
        <button
          type="button"
          className={`${css.mark} nodrag`}
          aria-label={`Comment: ${layout.comment}`}
          title={layout.comment}
          onClick={() => ui.show({ kind: "comment", node: id })}
        >
          <Icon name="note" />
        </button>
      )}
      {layout?.pinned && <Icon name="pin" />}
      {entry.mode === "mute" && <span className={css.mode}>muted</span>}
      {entry.mode === "bypass" && <Bypassed id={id} />}
      <Badge run={run} />
      <ProgressBar run={run} />
    </header>
  );
});

function Rename({ id, title, done }: { id: string; title: string; done: () => void }) {
  const editor = useEditor();
  const end = (text: string | null, by: "keys" | "leaving") => {
    const wanted = text?.trim();
    if (wanted !== undefined) {
      editor.tabs.editGraph((graph) =>
        withNodeLayout(graph, id, ({ title: _, ...rest }) =>
          wanted ? { ...rest, title: wanted } : rest,
        ),
      );
    }
    done();
    if (by === "keys") focusNode(editor, id);
  };
  return (
    <TitleInput
      label={`New title of ${title}`}
      value={title}
      className={css.rename ?? ""}
      end={end}
    />
  );
}

/** That a node is bypassed, and for those who point at it what goes past it. */
function Bypassed({ id }: { id: string }) {
  const library = useLibrary((state) => state.library);
  const past = useTab((tab) => bypassSaid(id, graphOf(tab), workflowOf(tab), library).join(" "));
  return (
    <Tooltip text={past ? `What it gives instead: ${past}` : "It gives nothing."}>
      <span className={css.mode}>bypassed</span>
    </Tooltip>
  );
}

function Badge({ run }: { run: NodeRun | undefined }) {
  const active = useJobActive();
  const badge = badgeOf(run, active);
  if (!badge) return null;
  const shown = (
    <span className={css.badge} data-kind={badge.kind}>
      <Icon name={badge.icon} />
      {badge.kind === "running" && run ? <StepText run={run} /> : badge.text}
    </span>
  );
  return badge.why ? <Tooltip text={badge.why}>{shown}</Tooltip> : shown;
}

function ProgressBar({ run }: { run: NodeRun | undefined }) {
  if (run?.status !== "running" || !run.total) return null;
  const part = Math.round((100 * (run.step ?? 0)) / run.total);
  return (
    <div
      className={css.track}
      role="progressbar"
      aria-valuenow={part}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-label="progress"
    >
      <div className={css.bar} style={{ transform: `scaleX(${part / 100})` }} />
    </div>
  );
}
