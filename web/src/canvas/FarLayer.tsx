/**
 * The graph from far away: boxes and wires painted on one canvas, since thousands of elements are
 * too many to move. The node under the pointer and those that are selected stay real elements.
 */

import { type ReactFlowState, useStoreApi } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { useEditor } from "../editor";
import css from "./FarLayer.module.css";
import { paintFar } from "./paint_far";
import { onStatus, repaint } from "./repaint";

/** Below this zoom nothing on a card can be read. */
export const FAR = 0.4;

export const isFar = ({ transform }: Pick<ReactFlowState, "transform">): boolean =>
  transform[2] < FAR;

export const FarLayer = memo(function FarLayer() {
  const editor = useEditor();
  const flow = useStoreApi();
  const surface = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = surface.current;
    const pen = canvas?.getContext("2d");
    if (!canvas || !pen) return;
    const { ask, stop } = repaint(() => {
      const state = flow.getState();
      const { transform, width, height } = state;
      const scale = window.devicePixelRatio || 1;
      if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
      if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      if (!isFar(state)) return;
      paintFar(pen, editor, { x: transform[0], y: transform[1], zoom: transform[2] }, [
        width,
        height,
      ]);
    });
    const leave = [
      flow.subscribe((now, before) => {
        if (
          now.transform !== before.transform ||
          now.width !== before.width ||
          now.height !== before.height
        )
          ask();
      }),
      editor.tabs.subscribe(ask),
      onStatus(editor, ask),
      editor.library.subscribe(ask),
    ];
    const themed = new MutationObserver(ask);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    ask();
    return () => {
      stop();
      themed.disconnect();
      for (const end of leave) end();
    };
  }, [editor, flow]);
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing of it takes the focus
  return <canvas ref={surface} className={css.far} aria-hidden="true" />;
});
