/** The right edge of a card, which makes it wider; arrow keys do too. */

import { memo, useRef } from "react";
import { withNodeLayout } from "../doc/edits";
import { MAX_WIDTH, MIN_WIDTH } from "../doc/geometry";
import { useEditor } from "../editor";
import css from "./NodeCard.module.css";

export const Resizer = memo(function Resizer({ id, width }: { id: string; width: number }) {
  const { tabs, canvas } = useEditor();
  const start = useRef<{ x: number; width: number } | null>(null);
  const resize = (wanted: number) => {
    const next = Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, wanted)));
    tabs.editGraph(
      (graph) => withNodeLayout(graph, id, (one) => ({ ...one, width: next })),
      `width ${id}`,
    );
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a line between nothing and nothing is no hr
    <div
      className={`${css.resizer} nodrag`}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width"
      aria-valuenow={width}
      aria-valuemin={MIN_WIDTH}
      aria-valuemax={MAX_WIDTH}
      tabIndex={-1}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => {
        if (!start.current) return;
        resize(start.current.width + (event.clientX - start.current.x) / canvas.viewport().zoom);
      }}
      onPointerUp={() => {
        start.current = null;
        tabs.seal();
      }}
      onPointerCancel={() => {
        start.current = null;
        tabs.seal();
      }}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -20, ArrowRight: 20 }[event.key];
        if (step === undefined) return;
        event.stopPropagation();
        resize(width + step);
      }}
    />
  );
});
