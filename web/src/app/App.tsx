/** The page: bars and panels around the canvas. */

import { type ComponentType, lazy, Suspense } from "react";
import { Canvas } from "../canvas/Canvas";
import { useShortcuts } from "../commands/useShortcuts";
import { useEditor, useSettings, useTab, useUi } from "../editor";
import { ConnectionBanner } from "../panels/ConnectionBanner";
import { FindBar } from "../panels/FindBar";
import { NodeSearch } from "../panels/NodeSearch";
import { WiringBox } from "../panels/WiringBox";
import { workflowOf } from "../store/tabs";
import type { LeftPanel, RightPanel } from "../store/ui";
import { Spinner } from "../ui/Badge";
import { SplitPanel } from "../ui/Splitter";
import css from "./App.module.css";
import { Breadcrumb } from "./Breadcrumb";
import { FormView, LEFT, RIGHT } from "./parts";
import { Rail } from "./Rail";
import { StatusBar } from "./StatusBar";
import { TabNotices } from "./TabNotices";
import { TabStrip } from "./TabStrip";
import { TopBar } from "./TopBar";
import { useChecks } from "./useChecks";
import { useDrafts } from "./useDrafts";
import { Welcome } from "./Welcome";

const AllDialogs = lazy(async () => ({ default: (await import("./AllDialogs")).AllDialogs }));

const NAMES: Readonly<Record<LeftPanel | RightPanel, string>> = {
  library: "Nodes",
  outline: "Outline",
  workflows: "Workflows",
  inspector: "Inspector",
  queue: "Queue",
  history: "History",
  gallery: "Gallery",
};

export function App() {
  const editor = useEditor();
  const view = useTab((tab) => tab.view);
  const left = useUi((state) => state.left);
  const right = useUi((state) => state.right);
  useShortcuts(editor);
  useChecks();
  useDrafts();
  return (
    <div className={css.page}>
      <TopBar />
      <TabStrip />
      <ConnectionBanner />
      <div className={css.middle}>
        <Rail side="left" />
        {left && <Side side="left" panel={left} parts={LEFT} />}
        <main className={css.main} aria-label={view === "form" ? "Form" : "Graph"}>
          {view !== "form" && <Heading />}
          <TabNotices />
          {view === null && <Welcome />}
          {view === "form" && (
            <Suspense fallback={<Spinner label="Loading the form" />}>
              <FormView />
            </Suspense>
          )}
          {view === "graph" && (
            <>
              <Breadcrumb />
              <Canvas />
              <FindBar />
              <WiringBox />
            </>
          )}
          <NodeSearch />
        </main>
        {right && <Side side="right" panel={right} parts={RIGHT} />}
        <Rail side="right" />
      </div>
      <StatusBar />
      <Suspense>
        <AllDialogs />
      </Suspense>
    </div>
  );
}

/** What the page is about, for those who walk it by headings; the form has one that is seen. */
function Heading() {
  const name = useTab((tab) => workflowOf(tab).name || tab.path) || "nodeflow";
  return <h1 className="visually-hidden">{name}</h1>;
}

interface SideProps<P extends LeftPanel | RightPanel> {
  readonly side: "left" | "right";
  readonly panel: P;
  readonly parts: Readonly<Record<P, ComponentType>>;
}

function Side<P extends LeftPanel | RightPanel>({ side, panel, parts }: SideProps<P>) {
  const { settings } = useEditor();
  const size = useSettings((state) => state.values.panels[side]) ?? (side === "left" ? 280 : 250);
  const Part: ComponentType = parts[panel];
  return (
    <SplitPanel
      side={side}
      size={size}
      min={220}
      max={640}
      label={NAMES[panel]}
      className={css.side}
      onSize={(next) =>
        settings.set({ panels: { ...settings.getState().values.panels, [side]: next } })
      }
    >
      <Suspense fallback={<Spinner label={`Loading ${NAMES[panel]}`} />}>
        <Part />
      </Suspense>
    </SplitPanel>
  );
}
