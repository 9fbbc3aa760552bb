/** A picture that is zoomed by the wheel and by keys, and moved by dragging it. */

import { type KeyboardEvent, type PointerEvent, useEffect, useState } from "react";
import type { Size } from "../pictures/view";
import { useZoom } from "../ui/useZoom";
import { ZoomButtons, zoomKeys } from "./ZoomButtons";
import css from "./ZoomedPicture.module.css";

interface ZoomedPictureProps {
  readonly src: string;
  readonly name: string;
}

export function ZoomedPicture({ src, name }: ZoomedPictureProps) {
  const [size, setSize] = useState<Size | null>(null);
  const [gone, setGone] = useState(false);
  if (gone) return <p className={css.gone}>{name} is not there any more, or cannot be shown.</p>;
  if (size) return <Zoomed src={src} name={name} size={size} />;
  return (
    // How large it is, is only known once it is here.
    <img
      className={css.unmeasured}
      src={src}
      alt=""
      onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
        setSize({ width: naturalWidth, height: naturalHeight })
      }
      onError={() => setGone(true)}
    />
  );
}

/** From here on pixels are seen as squares. */
const SQUARES = 3;

function Zoomed({ src, name, size }: ZoomedPictureProps & { readonly size: Size }) {
  const zoom = useZoom(size);
  const { frame, view } = zoom;
  useEffect(() => frame.current?.focus(), [frame]);
  const keys = (event: KeyboardEvent) => {
    const does =
      event.ctrlKey || event.metaKey || event.altKey ? undefined : zoomKeys(zoom)[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the buttons too
    <div className={css.zoomed} onKeyDown={keys}>
      {/* biome-ignore lint/a11y/useSemanticElements: what a picture is moved in is no fieldset */}
      <div
        ref={frame}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys zoom it
        tabIndex={0}
        aria-label="Zoomed picture"
        className={css.frame}
        onPointerDown={(event: PointerEvent<HTMLElement>) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          zoom.down(event, true);
        }}
        onPointerMove={(event) => void zoom.move(event)}
        onPointerUp={(event) => void zoom.up(event)}
        onPointerCancel={(event) => void zoom.up(event)}
      >
        <img
          src={src}
          alt={name}
          draggable={false}
          data-squares={view.scale >= SQUARES || undefined}
          style={{
            width: size.width,
            height: size.height,
            transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
          }}
        />
      </div>
      <div role="toolbar" aria-label="Zoom" className={css.buttons}>
        <ZoomButtons zoom={zoom} />
      </div>
    </div>
  );
}
