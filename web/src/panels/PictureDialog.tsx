/** One picture, large; arrows go to the next. */

import { useEffect, useState } from "react";
import { useEditor, useRuns, useUi } from "../editor";
import type { FileView, Picture } from "../gen/api";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Compare } from "./Compare";
import css from "./PictureDialog.module.css";

export function PictureDialog() {
  const { ui } = useEditor();
  const digest = useUi((state) => (state.dialog?.kind === "picture" ? state.dialog.digest : null));
  return (
    <Dialog
      open={digest !== null}
      onOpenChange={() => ui.show(null)}
      title="Picture"
      bare
      size="full"
    >
      {digest !== null && <Viewer digest={digest} />}
    </Dialog>
  );
}

function Viewer({ digest }: { digest: string }) {
  const { ui, api, actions } = useEditor();
  const pictures = useRuns((state) => state.gallery.pictures);
  const at = pictures.findIndex((one) => one.digest === digest);
  const picture: Picture | undefined = pictures[at];
  const [zoom, setZoom] = useState(false);
  const [other, setOther] = useState<string | null>(null);
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = step === undefined || other !== null ? undefined : pictures[at + step];
      if (next) ui.show({ kind: "picture", digest: next.digest });
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  }, [ui, pictures, at, other]);
  const before = pictures[at + 1];
  return (
    <div className={css.viewer}>
      <header className={css.bar}>
        <span className={css.name}>{picture ? told(picture) : ""}</span>
        <Button onClick={() => setZoom(!zoom)}>{zoom ? "Fit" : "1:1"}</Button>
        <Button
          disabled={!before}
          onClick={() => setOther(other === null ? (before?.digest ?? null) : null)}
        >
          {other === null ? "Compare with the one before" : "Stop comparing"}
        </Button>
        {picture && (
          <Button
            icon="node"
            onClick={() => {
              ui.show(null);
              void actions.files.openJob(picture.job);
            }}
          >
            Open its workflow
          </Button>
        )}
        <Button
          icon="download"
          onClick={() => void window.open(api.resultUrl(digest, { download: true }))}
        >
          Download
        </Button>
        <Button icon="close" onClick={() => ui.show(null)}>
          Close
        </Button>
      </header>
      <div className={css.stage} data-zoom={zoom || undefined}>
        {other === null ? (
          <img src={api.resultUrl(digest)} alt={picture?.name ?? "Picture"} />
        ) : (
          <Compare a={api.resultUrl(other)} b={api.resultUrl(digest)} />
        )}
      </div>
    </div>
  );
}

const told = ({ name, width, height, size }: FileView): string =>
  `${name} · ${width ?? "?"} × ${height ?? "?"} · ${Math.round(size / 1000)} kB`;
