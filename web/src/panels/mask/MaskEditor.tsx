/** The tools, the surface, and the keys that work on both. */

import { type KeyboardEvent, useEffect, useReducer, useState } from "react";
import type { Painting } from "../../pictures/painting";
import { useZoom } from "../../ui/useZoom";
import { zoomKeys } from "../ZoomButtons";
import { MaskSurface } from "./MaskSurface";
import { MaskTools, resized, type Tools } from "./MaskTools";
import css from "./mask.module.css";

interface MaskEditorProps {
  readonly painting: Painting;
  readonly name: string;
}

export function MaskEditor({ painting, name }: MaskEditorProps) {
  const { width, height } = painting.mask;
  const zoom = useZoom(painting.mask);
  const [tools, setTools] = useState<Tools>(() => ({
    size: Math.max(1, Math.round(Math.max(width, height) / 16)),
    soft: false,
    erases: false,
    opacity: 60,
  }));
  const change = (part: Partial<Tools>) => setTools((now) => ({ ...now, ...part }));
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(
    () =>
      painting.subscribe((area) => {
        // Only what can be undone is drawn by React; strokes go straight to the canvas.
        if (area === null) again();
      }),
    [painting],
  );
  const act = (what: (painting: Painting) => void) => {
    what(painting);
    again();
  };
  const keys = (event: KeyboardEvent) => {
    const done = event.ctrlKey || event.metaKey ? withMod(event) : plain(event);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const withMod = (event: KeyboardEvent): boolean => {
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) act((one) => one.undo());
    else if (key === "y" || key === "z") act((one) => one.redo());
    else return false;
    return true;
  };
  const plain = (event: KeyboardEvent): boolean => {
    const does: Readonly<Record<string, () => void>> = {
      "[": () => setTools((now) => resized(now, 1 / 1.25)),
      "]": () => setTools((now) => resized(now, 1.25)),
      b: () => change({ erases: false }),
      e: () => change({ erases: true }),
      s: () => change({ soft: !tools.soft }),
      i: () => act((one) => one.invert()),
      ...zoomKeys(zoom),
    };
    const todo = event.altKey ? undefined : does[event.key.toLowerCase()];
    todo?.();
    return todo !== undefined;
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the whole editor
    <div className={css.editor} onKeyDown={keys}>
      <MaskTools tools={tools} change={change} painting={painting} act={act} zoom={zoom} />
      <MaskSurface painting={painting} name={name} tools={tools} zoom={zoom} />
    </div>
  );
}
