/** Every node of the graph in view, in the order of the flow: for keys, and for who cannot see it. */

import { useMemo } from "react";
import { badgeOf } from "../canvas/badge";
import { flowOrder } from "../doc/order";
import { flatId } from "../doc/scope";
import { titleOf } from "../doc/titles";
import { useEditor, useLibrary, useRuns, useTab } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { EmptyState } from "../ui/Badge";
import { VirtualList } from "../ui/VirtualList";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function OutlinePanel() {
  const graph = useTab(graphOf);
  const order = useMemo(() => (graph ? flowOrder(graph) : []), [graph]);
  return (
    <Panel title="Outline" fill>
      {order.length === 0 ? (
        <EmptyState icon="outline" title="The graph has no nodes" />
      ) : (
        <VirtualList
          label="Nodes in their order"
          count={order.length}
          rowHeight={34}
          rowKey={(index) => order[index] ?? index}
          row={(index) => <Row id={order[index] ?? ""} />}
        />
      )}
    </Panel>
  );
}

function Row({ id }: { id: string }) {
  const { actions, tabs } = useEditor();
  const library = useLibrary((state) => state.library);
  const flat = useTab((tab) => flatId(tab.scope, id)) ?? id;
  const title = useTab((tab) => titleOf(id, graphOf(tab), workflowOf(tab), library)) ?? id;
  const mode = useTab((tab) => graphOf(tab).nodes[id]?.mode ?? null);
  const job = useTab((tab) => tab.job);
  const run = useRuns((state) => (job ? state.jobs[job]?.nodes[flat] : undefined));
  const chosen = useTab((tab) => tab.selection.has(`n:${id}`)) ?? false;
  const wrong = useTab((tab) => tab.problems.some((one) => one.node === flat)) ?? false;
  const badge = badgeOf(run, false);
  return (
    <div className={css.item} data-active={chosen || undefined}>
      <button
        type="button"
        className={`${css.plain} ${css.grow}`}
        aria-pressed={chosen}
        onClick={() => actions.nodes.look(flat)}
        onFocus={() => tabs.select([`n:${id}`])}
      >
        {title}
      </button>
      <span className={wrong || run?.status === "failed" ? css.bad : css.muted}>
        {wrong ? "problem" : (mode ?? badge?.text ?? "")}
      </span>
    </div>
  );
}
