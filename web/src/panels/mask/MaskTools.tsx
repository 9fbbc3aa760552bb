/** The tools beside the picture. */

import type { ReactNode } from "react";
import type { Brush } from "../../pictures/mask";
import type { Painting } from "../../pictures/painting";
import { IconButton } from "../../ui/Button";
import { Slider } from "../../ui/Slider";
import { Switch } from "../../ui/Switch";
import type { Zoom } from "../../ui/useZoom";
import { ZoomButtons } from "../ZoomButtons";
import css from "./mask.module.css";

export interface Tools extends Brush {
  /** Of the mask as it is shown, in per cent. */
  readonly opacity: number;
}

const LARGEST = 2000;

/** The brush by a factor larger or smaller, but by a pixel at least. */
export function resized(tools: Tools, factor: number): Tools {
  const size = Math.round(tools.size * factor);
  const next = size === tools.size ? size + Math.sign(factor - 1) : size;
  return { ...tools, size: Math.min(LARGEST, Math.max(1, next)) };
}

interface MaskToolsProps {
  readonly tools: Tools;
  readonly change: (part: Partial<Tools>) => void;
  readonly painting: Painting;
  readonly act: (what: (painting: Painting) => void) => void;
  readonly zoom: Zoom;
}

export function MaskTools({ tools, change, painting, act, zoom }: MaskToolsProps) {
  const { size, soft, erases, opacity } = tools;
  return (
    <div role="toolbar" aria-label="Mask tools" aria-orientation="horizontal" className={css.tools}>
      <IconButton
        icon="edit"
        label="Brush"
        keys="b"
        pressed={!erases}
        onClick={() => change({ erases: false })}
      />
      <IconButton
        icon="eraser"
        label="Eraser"
        keys="e"
        pressed={erases}
        onClick={() => change({ erases: true })}
      />
      <Labelled text={`Size ${size}`}>
        {/* By its root, so that small brushes are as easy to choose as large ones. */}
        <Slider
          className={css.slider}
          label="Brush size"
          min={1}
          max={Math.sqrt(LARGEST)}
          step={0.1}
          value={Math.sqrt(size)}
          says={`${size} pixels`}
          onChange={(root) => change({ size: Math.max(1, Math.round(root * root)) })}
        />
      </Labelled>
      <Labelled text="Soft edge">
        <Switch label="Soft edge" checked={soft} onChange={(next) => change({ soft: next })} />
      </Labelled>
      <Labelled text="Mask shown">
        <Slider
          className={css.slider}
          label="How strong the mask is shown"
          min={10}
          max={100}
          value={opacity}
          says={`${opacity} %`}
          onChange={(next) => change({ opacity: next })}
        />
      </Labelled>
      <span className={css.gap} />
      <IconButton
        icon="undo"
        label="Undo"
        keys="Mod+z"
        disabled={!painting.canUndo}
        onClick={() => act((one) => one.undo())}
      />
      <IconButton
        icon="redo"
        label="Redo"
        keys="Mod+Shift+z"
        disabled={!painting.canRedo}
        onClick={() => act((one) => one.redo())}
      />
      <IconButton
        icon="invert"
        label="Invert"
        keys="i"
        onClick={() => act((one) => one.invert())}
      />
      <IconButton icon="stop" label="Fill" onClick={() => act((one) => one.fill(255))} />
      <IconButton icon="trash" label="Clear" onClick={() => act((one) => one.fill(0))} />
      <span className={css.gap} />
      <ZoomButtons zoom={zoom} />
    </div>
  );
}

function Labelled({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  return (
    <span className={css.labelled}>
      <span aria-hidden="true">{text}</span>
      {children}
    </span>
  );
}
