/** The open workflows. A dot marks unsaved work; a running one shows how far it is. */

import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { useEditor, useRuns } from "../editor";
import { percentOf } from "../store/runs";
import { isUnsaved, type Tab, workflowOf } from "../store/tabs";
import { Icon } from "../ui/icons";
import css from "./TabStrip.module.css";

export function TabStrip() {
  const { tabs, actions } = useEditor();
  const state = useStore(tabs);
  const walk = (by: number) => {
    const index = state.tabs.findIndex((tab) => tab.id === state.active);
    const next = state.tabs[(index + by + state.tabs.length) % state.tabs.length];
    if (!next) return;
    tabs.activate(next.id);
    document.getElementById(handleId(next))?.focus();
  };
  return (
    <nav className={css.strip} aria-label="Open workflows">
      {/* The tabs lie among buttons that close them, which a list of tabs may not hold. */}
      <div role="tablist" aria-label="Workflows" aria-owns={state.tabs.map(handleId).join(" ")} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the tabs in it */}
      <div
        className={css.list}
        onKeyDown={(event) => {
          if (event.key === "ArrowRight") walk(1);
          else if (event.key === "ArrowLeft") walk(-1);
          else if (event.key === "Delete") void actions.files.close(state.active);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        {state.tabs.map((tab) => (
          <TabButton key={tab.id} tab={tab} active={tab.id === state.active} />
        ))}
      </div>
      <button
        type="button"
        className={css.add}
        aria-label="New workflow"
        onClick={() => actions.files.create()}
      >
        <Icon name="plus" />
      </button>
    </nav>
  );
}

const handleId = (tab: Tab): string => `handle-${tab.id}`;

function TabButton({ tab, active }: { tab: Tab; active: boolean }) {
  const { tabs, actions } = useEditor();
  const name = workflowOf(tab).name || tab.path || "Untitled";
  const progress = useProgress(tab.job);
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) shown.current?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  }, [active]);
  return (
    <div ref={shown} className={css.tab} data-active={active || undefined}>
      <button
        type="button"
        role="tab"
        id={handleId(tab)}
        aria-selected={active}
        tabIndex={active ? 0 : -1}
        className={css.label}
        title={tab.path ?? name}
        onClick={() => tabs.activate(tab.id)}
        onAuxClick={(event) => {
          if (event.button === 1) void actions.files.close(tab.id);
        }}
      >
        {tab.locked && <Icon name="lock" size={12} />}
        <span className={css.name}>{name}</span>
        {isUnsaved(tab) && (
          <span className={css.dot} title="unsaved changes">
            <span className="visually-hidden"> (unsaved)</span>
          </span>
        )}
        {progress !== null && <span className={css.progress}>{progress}%</span>}
      </button>
      <button
        type="button"
        className={css.close}
        aria-label={`Close ${name}`}
        tabIndex={-1}
        onClick={() => void actions.files.close(tab.id)}
      >
        <Icon name="close" size={12} />
      </button>
    </div>
  );
}

/** How far a job is, in per cent; null if it does not run. */
export function useProgress(id: string | null): number | null {
  return useRuns((state) => (id === null ? null : percentOf(state.jobs[id])));
}
