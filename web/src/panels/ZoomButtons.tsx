/** How large a picture is seen, and the buttons that change it. */

import { IconButton } from "../ui/Button";
import type { Zoom } from "../ui/useZoom";

const STEP = 1.25;

export function ZoomButtons({ zoom }: { readonly zoom: Zoom }) {
  return (
    <>
      <IconButton icon="minus" label="Zoom out" keys="-" onClick={() => zoom.by(1 / STEP)} />
      <output style={{ minWidth: 44, textAlign: "center" }}>
        {Math.round(zoom.view.scale * 100)} %
      </output>
      <IconButton icon="plus" label="Zoom in" keys="+" onClick={() => zoom.by(STEP)} />
      <IconButton icon="fit" label="Fit" keys="0" onClick={zoom.fit} />
      <IconButton icon="search" label="100 %" keys="1" onClick={zoom.actual} />
    </>
  );
}

/** What keys do to the zoom: the same wherever there is one. */
export const zoomKeys = (zoom: Zoom): Readonly<Record<string, () => void>> => ({
  "+": () => zoom.by(STEP),
  "=": () => zoom.by(STEP),
  "-": () => zoom.by(1 / STEP),
  "0": zoom.fit,
  "1": zoom.actual,
});
