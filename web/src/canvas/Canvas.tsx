/** The canvas: the graph in view, and every gesture on it. */

import {
  Background,
  BackgroundVariant,
  type EdgeTypes,
  type NodeTypes,
  ReactFlow,
  type ReactFlowProps,
  ReactFlowProvider,
  SelectionMode,
  useStore,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { memo, useCallback, useRef, useState } from "react";
import { GRID } from "../doc/edits";
import { useEditor, useSettings, useTab } from "../editor";
import { scopeKey, type Viewport } from "../store/tabs";
import { AimedWire } from "./AimedWire";
import css from "./Canvas.module.css";
import { ContextMenus } from "./ContextMenus";
import { FarLayer, isFar } from "./FarLayer";
import { FrameCard } from "./FrameCard";
import type { FlowEdge, FlowNode } from "./flow";
import { Minimap } from "./Minimap";
import { NodeCard } from "./NodeCard";
import { NoteCard } from "./NoteCard";
import { RerouteDot } from "./RerouteDot";
import { SelectionBox } from "./SelectionBox";
import { useBoxSelect } from "./useBoxSelect";
import { keepView, useCanvasHandle } from "./useCanvasHandle";
import { useCanvasKeys } from "./useCanvasKeys";
import { useConnecting } from "./useConnecting";
import { useDragging } from "./useDragging";
import { useDrops } from "./useDrops";
import { useFlow } from "./useFlow";
import { useHovered } from "./useHovered";
import { usePicking } from "./usePicking";
import { useWheel } from "./useWheel";
import { WireEdge } from "./WireEdge";

const NODE_TYPES = {
  node: NodeCard,
  frame: FrameCard,
  note: NoteCard,
  reroute: RerouteDot,
} as NodeTypes;
const EDGE_TYPES = { wire: WireEdge } as EdgeTypes;

/** What of xyflow the editor uses in one way only; selection and keys are the editor's own. */
const FIXED = {
  nodeTypes: NODE_TYPES,
  edgeTypes: EDGE_TYPES,
  defaultEdgeOptions: { interactionWidth: 16 },
  minZoom: 0.04,
  maxZoom: 3,
  onlyRenderVisibleElements: true,
  elementsSelectable: false,
  nodesFocusable: false,
  edgesFocusable: false,
  selectNodesOnDrag: false,
  selectionOnDrag: false,
  selectionMode: SelectionMode.Partial,
  selectionKeyCode: null,
  multiSelectionKeyCode: null,
  deleteKeyCode: null,
  panActivationKeyCode: "Space",
  disableKeyboardA11y: true,
  zoomOnScroll: false,
  panOnScroll: false,
  zoomOnDoubleClick: false,
  nodeDragThreshold: 3,
  connectionRadius: 24,
  autoPanOnNodeFocus: false,
  elevateNodesOnSelect: false,
  elevateEdgesOnSelect: false,
  zIndexMode: "manual",
  // The editor's own "About" names xyflow and its licence.
  proOptions: { hideAttribution: true },
} satisfies ReactFlowProps<FlowNode, FlowEdge>;

const MIDDLE = [1];
const LEFT_AND_MIDDLE = [0, 1];

/** The graph of the tab in view. */
export const Canvas = memo(function Canvas() {
  const id = useTab((tab) => tab.id);
  const scope = useTab((tab) => scopeKey(tab.scope));
  const [room, setRoom] = useState<HTMLDivElement | null>(null);
  if (id === null) return null;
  return (
    // The room is there before the canvas, so that this can begin with a view that fits into it.
    <div ref={setRoom} className={css.room}>
      {room && (
        // Another graph is another canvas: no gesture and no size of the last one is left over.
        <ReactFlowProvider key={`${id}:${scope}`}>
          <CanvasInside room={room} />
        </ReactFlowProvider>
      )}
    </div>
  );
});

function CanvasInside({ room }: { room: HTMLDivElement }) {
  const editor = useEditor();
  const frame = useRef<HTMLDivElement>(null);
  const { ready, first } = useCanvasHandle(frame, () => [room.clientWidth, room.clientHeight]);
  const far = useStore(isFar);
  const grid = useSettings((state) => state.values.grid);
  const drags = useSettings((state) => state.values.drag);
  const locked = useTab((tab) => tab.locked) ?? false;
  const hovered = useHovered(frame, far);
  const dragging = useDragging();
  const { nodes, edges } = useFlow(far, dragging.held ?? hovered);
  const connecting = useConnecting();
  const picking = usePicking();
  const box = useBoxSelect(frame, drags);
  const drops = useDrops();
  const keys = useCanvasKeys();
  useWheel(frame);
  const moved = useCallback((_: unknown, view: Viewport) => keepView(editor, view), [editor]);
  return (
    <ContextMenus>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the elements in it have the roles */}
      <div
        ref={frame}
        className={css.canvas}
        data-canvas
        data-far={far || undefined}
        data-ready={ready || undefined}
        {...box.handlers}
        {...drops}
        {...keys}
        onDoubleClick={picking.onDoubleClick}
      >
        <FarLayer />
        <ReactFlow
          nodes={nodes}
          edges={edges}
          {...FIXED}
          defaultViewport={first}
          nodesDraggable={!locked}
          nodesConnectable={!locked}
          edgesReconnectable={!locked}
          panOnDrag={drags === "pan" ? LEFT_AND_MIDDLE : MIDDLE}
          onMoveEnd={moved}
          {...dragging.handlers}
          {...connecting}
          {...picking.handlers}
        >
          {grid && !far && (
            <Background
              variant={BackgroundVariant.Dots}
              gap={GRID}
              size={1.4}
              className={css.dots ?? ""}
            />
          )}
          <AimedWire />
        </ReactFlow>
        <SelectionBox box={box.box} />
        <Minimap />
      </div>
    </ContextMenus>
  );
}
