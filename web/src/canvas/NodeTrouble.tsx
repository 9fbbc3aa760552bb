/** What is wrong with a node, below its card, so that nothing in it moves. */

import { memo } from "react";
import { titleOf } from "../doc/titles";
import { useEditor, useLibrary, useTab } from "../editor";
import type { Problem } from "../server/api";
import type { NodeRun } from "../store/runs";
import { graphOf, workflowOf } from "../store/tabs";
import css from "./NodeTrouble.module.css";

interface TroubleProps {
  readonly id: string;
  readonly run: NodeRun | undefined;
  readonly problems: readonly Problem[];
  readonly unknown: boolean;
  readonly type: string;
}

export const NodeTrouble = memo(function NodeTrouble(props: TroubleProps) {
  const { id, run, problems, unknown, type } = props;
  const { ui } = useEditor();
  const library = useLibrary((state) => state.library);
  const title = useTab((tab) => titleOf(id, graphOf(tab), workflowOf(tab), library)) ?? id;
  const failed = run?.status === "failed" ? run : null;
  const first = problems[0];
  if (!failed && !first && !unknown) return null;
  const sentence = failed?.sentence ?? (unknown ? `No pack provides ${type}.` : first?.sentence);
  const more = problems.length - 1;
  return (
    <div
      className={css.trouble}
      id={`trouble-${id}`}
      data-kind={failed || first?.severity !== "warning" ? "error" : "warning"}
    >
      <p>{sentence}</p>
      {!failed && !unknown && first?.way_out && <p className={css.way}>{first.way_out}</p>}
      {!failed && more > 0 && <p className={css.way}>and {more} more</p>}
      {failed?.trace && (
        <button
          type="button"
          className={`${css.details} nodrag`}
          onClick={() =>
            ui.show({
              kind: "trace",
              node: title,
              sentence: failed.sentence ?? "",
              trace: failed.trace ?? "",
            })
          }
        >
          Details
        </button>
      )}
    </div>
  );
});
