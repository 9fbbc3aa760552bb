/** A small map of the graph: frames, nodes with their states, and what is in view. */

import { useStore, useStoreApi } from "@xyflow/react";
import { memo, type PointerEvent, useEffect, useRef } from "react";
import { boxOf, itemsOf } from "../doc/boxes";
import { around, type Box } from "../doc/geometry";
import { useEditor, useSettings, useUi } from "../editor";
import { graphOf, workflowOf } from "../store/tabs";
import { IconButton } from "../ui/Button";
import css from "./Minimap.module.css";
import { paintMap } from "./paint_map";
import { onStatus, repaint } from "./repaint";

const MAP_WIDTH = 200;
const MAP_HEIGHT = 130;
/** Milliseconds between two pictures of the map, which leaves the time to what people look at. */
const LEAST = 80;

/** The part of the canvas that the map shows: the graph and what is in view. */
function mapped(boxes: readonly Box[], view: Box): Box & { scale: number } {
  const all = around([...boxes, view]) ?? view;
  const margin = 0.05 * Math.max(all.width, all.height);
  const box = {
    x: all.x - margin,
    y: all.y - margin,
    width: all.width + 2 * margin,
    height: all.height + 2 * margin,
  };
  return { ...box, scale: Math.min(MAP_WIDTH / box.width, MAP_HEIGHT / box.height) };
}

/** A canvas narrower than this, in pixels, has the map folded: it would cover what is worked on. */
const NARROW = 760;

export const Minimap = memo(function Minimap() {
  const { ui } = useEditor();
  const shown = useSettings((state) => state.values.minimap);
  const unfolded = useUi((state) => state.map);
  const narrow = useStore(({ width }) => (width === 0 ? null : width < NARROW));
  if (!shown || narrow === null) return null;
  return (
    <div className={css.corner}>
      {narrow && (
        <div className={css.fold}>
          <IconButton
            icon={unfolded ? "chevron-down" : "minimap"}
            small
            label={unfolded ? "Fold the map" : "Unfold the map"}
            aria-expanded={unfolded}
            onClick={() => ui.setState({ map: !unfolded })}
          />
        </div>
      )}
      {(unfolded || !narrow) && <Map_ />}
    </div>
  );
});

function Map_() {
  const editor = useEditor();
  const flow = useStoreApi();
  const surface = useRef<HTMLCanvasElement>(null);
  const area = useRef<(Box & { scale: number }) | null>(null);
  useEffect(() => {
    const pen = surface.current?.getContext("2d");
    if (!pen) return;
    const { ask, stop } = repaint(() => {
      const tab = editor.tabs.current();
      if (!tab) return;
      const { transform, width, height } = flow.getState();
      const [x, y, zoom] = transform;
      const view = { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
      const graph = graphOf(tab);
      const { library } = editor.library.getState();
      const boxes = itemsOf(graph).flatMap(
        (key) => boxOf(key, graph, workflowOf(tab), library) ?? [],
      );
      area.current = mapped(boxes, view);
      paintMap(pen, editor, tab, area.current, view);
    }, LEAST);
    const leave = [
      flow.subscribe(ask),
      editor.tabs.subscribe(ask),
      onStatus(editor, ask),
      editor.library.subscribe(ask),
    ];
    ask();
    return () => {
      stop();
      for (const end of leave) end();
    };
  }, [editor, flow]);
  const look = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1 || !area.current) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { left, top, width: wide } = event.currentTarget.getBoundingClientRect();
    const { x, y } = area.current;
    // On a small screen it is drawn smaller than it is painted.
    const scale = (area.current.scale * wide) / MAP_WIDTH;
    const at = [x + (event.clientX - left) / scale, y + (event.clientY - top) / scale] as const;
    const { zoom } = editor.canvas.viewport();
    const [width, height] = editor.canvas.size();
    editor.canvas.setViewport(
      { zoom, x: width / 2 - at[0] * zoom, y: height / 2 - at[1] * zoom },
      false,
    );
  };
  return (
    <canvas
      ref={surface}
      className={css.map}
      width={MAP_WIDTH}
      height={MAP_HEIGHT}
      role="img"
      aria-label="Map of the graph; the outline lists all nodes"
      onPointerDown={look}
      onPointerMove={look}
    />
  );
}
