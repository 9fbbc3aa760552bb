/** The picture with the mask over it, and what the pointer and the arrows do there. */

import {
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { type Place, wholeOf } from "../../pictures/mask";
import type { Painting } from "../../pictures/painting";
import { type Colour, showMask, showPixels, sizeCanvas } from "../../pictures/show";
import type { Zoom } from "../../ui/useZoom";
import type { Tools } from "./MaskTools";
import css from "./mask.module.css";

const COLOUR: Colour = [255, 64, 96];
/** From here on pixels are seen as squares. */
const SQUARES = 3;
/** `buttons` of a pointer: the middle one, the right one, a pen's eraser. */
const [MIDDLE, RIGHT, ERASER] = [4, 2, 32] as const;

interface SurfaceProps {
  readonly painting: Painting;
  readonly name: string;
  readonly tools: Tools;
  readonly zoom: Zoom;
}

export function MaskSurface({ painting, name, tools, zoom }: SurfaceProps) {
  const [cursor, setCursor] = useState<Place | null>(null);
  const pointer = usePointer(painting, tools, zoom, setCursor);
  const { view, frame } = zoom;
  // The dialog was there before the picture was, and could not begin on it.
  useEffect(() => frame.current?.focus(), [frame]);
  const { width, height } = painting.mask;
  const place = {
    width,
    height,
    transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
  };
  const across = tools.size * view.scale;
  return (
    <div
      ref={frame}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is painted on by keys too
      tabIndex={0}
      aria-label={`Mask of ${name}: drag to paint, or move the brush with the arrows and paint with Enter`}
      className={css.surface}
      {...pointer}
    >
      <div className={css.picture} style={place} data-squares={view.scale >= SQUARES || undefined}>
        <Layers painting={painting} opacity={tools.opacity} />
      </div>
      {cursor && (
        <div
          className={css.ring}
          style={{
            width: across,
            height: across,
            left: view.x + cursor[0] * view.scale - across / 2,
            top: view.y + cursor[1] * view.scale - across / 2,
          }}
        />
      )}
    </div>
  );
}

function Layers({ painting, opacity }: { painting: Painting; opacity: number }) {
  const below = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (below.current) showPixels(below.current, painting.pixels);
    const canvas = above.current;
    if (!canvas) return;
    sizeCanvas(canvas, painting.mask);
    showMask(canvas, painting.mask, wholeOf(painting.mask), COLOUR);
    return painting.subscribe((area) => area && showMask(canvas, painting.mask, area, COLOUR));
  }, [painting]);
  return (
    <>
      <canvas ref={below} />
      <canvas ref={above} style={{ opacity: opacity / 100 }} data-mask />
    </>
  );
}

function usePointer(
  painting: Painting,
  tools: Tools,
  zoom: Zoom,
  setCursor: (at: Place | null) => void,
) {
  const [space, setSpace] = useState(false);
  const stroke = useRef<number | null>(null);
  const erases = useRef(false);
  const keyed = useRef<Place | null>(null);
  const brush = () => ({ ...tools, erases: tools.erases || erases.current });
  useEffect(() => () => painting.end(), [painting]);
  const show = (at: Place | null) => {
    keyed.current = at;
    setCursor(at);
  };
  const stop = (event: PointerEvent) => {
    const moves = zoom.up(event);
    if (stroke.current !== event.pointerId || moves) return;
    stroke.current = null;
    painting.end();
  };
  const arrows = (event: KeyboardEvent) => {
    const { width, height } = painting.mask;
    const at = keyed.current ?? [width / 2, height / 2];
    const far = event.shiftKey ? 1 : Math.max(1, tools.size / 4);
    const next: Readonly<Record<string, Place>> = {
      ArrowLeft: [at[0] - far, at[1]],
      ArrowRight: [at[0] + far, at[1]],
      ArrowUp: [at[0], at[1] - far],
      ArrowDown: [at[0], at[1] + far],
    };
    const to = next[event.key];
    if (to) show([Math.min(width, Math.max(0, to[0])), Math.min(height, Math.max(0, to[1]))]);
    else if (event.key === "Enter") {
      show(at);
      painting.begin(at, tools);
      painting.end();
    } else if (event.key === " ") setSpace(true);
    else return;
    event.preventDefault();
  };
  return {
    "data-pans": space || undefined,
    onPointerDown(event: PointerEvent<HTMLElement>) {
      event.currentTarget.focus();
      event.currentTarget.setPointerCapture(event.pointerId);
      if (zoom.down(event, space || (event.buttons & MIDDLE) !== 0)) {
        // What the first of two fingers has drawn was not meant.
        painting.cancel();
        stroke.current = null;
        return;
      }
      stroke.current = event.pointerId;
      erases.current = (event.buttons & (RIGHT | ERASER)) !== 0;
      painting.begin(zoom.place(event), brush());
    },
    onPointerMove(event: PointerEvent) {
      if (zoom.move(event)) return;
      show(zoom.place(event));
      if (stroke.current !== event.pointerId) return;
      const between = event.nativeEvent.getCoalescedEvents?.() ?? [];
      for (const one of between.length > 0 ? between : [event]) {
        painting.lineTo(zoom.place(one), brush());
      }
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onPointerLeave: () => stroke.current === null && show(null),
    onContextMenu: (event: { preventDefault: () => void }) => event.preventDefault(),
    onKeyDown: arrows,
    onKeyUp: (event: KeyboardEvent) => event.key === " " && setSpace(false),
    onBlur: () => setSpace(false),
  };
}
