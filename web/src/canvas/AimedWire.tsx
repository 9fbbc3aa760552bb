/** The wire that the keys would draw: from where it begins to the socket that they are at. */

import { ViewportPortal } from "@xyflow/react";
import { type Socket, socketPoint, socketType } from "../doc/sockets";
import type { Point } from "../doc/types";
import { useLibrary, useTab, useUi } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import css from "./AimedWire.module.css";
import { useSocketLook } from "./Socket";
import { wirePath } from "./WireEdge";

export function AimedWire() {
  const wiring = useUi((state) => state.wiring);
  return wiring && <Drawn start={wiring.start} aim={wiring.aim} />;
}

function Drawn({ start, aim }: { start: Socket; aim: Socket | null }) {
  const library = useLibrary((state) => state.library);
  const graph = useTab(graphOf);
  const workflow = useTab(workflowOf);
  const type = graph && workflow ? socketType(start, graph, workflow, library) : "any";
  const { colour } = useSocketLook(type);
  if (!graph || !workflow) return null;
  const begin = socketPoint(start, graph, workflow, library);
  const end = aim && socketPoint(aim, graph, workflow, library);
  const ends = start.side === "output" ? [begin, end] : [end, begin];
  return (
    <ViewportPortal>
      <svg className={css.layer} style={{ color: colour }} aria-hidden="true">
        <Wire ends={ends} />
        {begin && <circle cx={begin[0]} cy={begin[1]} r={9} className={css.begin} />}
        {end && <circle cx={end[0]} cy={end[1]} r={13} className={css.aim} data-aimed />}
      </svg>
    </ViewportPortal>
  );
}

function Wire({ ends: [from, to] }: { ends: readonly (Point | null | undefined)[] }) {
  if (!from || !to) return null;
  return <path d={wirePath(from[0], from[1], to[0], to[1])} className={css.wire} />;
}
