/** One picture, large; arrows go to the next, the wheel zooms, and another can be laid beside it. */

import { type KeyboardEvent, useEffect, useState } from "react";
import { useEditor, useRuns, useUi } from "../editor";
import type { FileView, Picture } from "../gen/api";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Compare } from "./Compare";
import css from "./PictureDialog.module.css";
import { PictureGrid } from "./PictureGrid";
import { ZoomedPicture } from "./ZoomedPicture";

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

/** What is seen beside the picture: nothing, those it can be compared with, or one of them. */
type Beside = "nothing" | "choice" | Picture;

function Viewer({ digest }: { digest: string }) {
  const { ui, api, actions, runs } = useEditor();
  const gallery = useRuns((state) => state.gallery);
  const { pictures } = gallery;
  const at = pictures.findIndex((one) => one.digest === digest);
  const picture: Picture | undefined = pictures[at];
  const [beside, setBeside] = useState<Beside>("nothing");
  const other = typeof beside === "object" ? beside : null;
  // Who comes here from a node may not have opened the gallery yet.
  useEffect(() => {
    if (!gallery.loaded) void runs.loadGallery();
  }, [gallery.loaded, runs]);
  const go = (to: Picture | undefined) => to && ui.show({ kind: "picture", digest: to.digest });
  const remove = async () => {
    const next = pictures[at + 1] ?? pictures[at - 1];
    if (!picture || !(await actions.pictures.askRemove(picture))) return;
    ui.show(next ? { kind: "picture", digest: next.digest } : null);
  };
  const keys = (event: KeyboardEvent) => {
    if (other || beside === "choice" || event.defaultPrevented) return;
    if (event.key === "ArrowRight") go(pictures[at + 1]);
    else if (event.key === "ArrowLeft") go(pictures[at - 1]);
    else if (event.key === "Delete") void remove();
    else return;
    event.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the whole viewer
    <div className={css.viewer} onKeyDown={keys}>
      <header className={css.bar}>
        <span className={css.name}>{picture ? told(picture) : ""}</span>
        <Button
          icon="chevron-left"
          aria-label="Newer picture"
          disabled={at <= 0}
          onClick={() => go(pictures[at - 1])}
        />
        <Button
          icon="chevron-right"
          aria-label="Older picture"
          disabled={at < 0 || at === pictures.length - 1}
          onClick={() => go(pictures[at + 1])}
        />
        <Button
          disabled={pictures.every((one) => one.digest === digest)}
          aria-pressed={beside !== "nothing"}
          onClick={() => setBeside(beside === "nothing" ? "choice" : "nothing")}
        >
          {beside === "nothing" ? "Compare with…" : "Stop comparing"}
        </Button>
        <Deeds digest={digest} picture={picture} remove={() => void remove()} />
      </header>
      <div className={css.stage}>
        {other ? (
          <Compare a={api.resultUrl(digest)} b={api.resultUrl(other.digest)} />
        ) : (
          <ZoomedPicture
            key={digest}
            src={api.resultUrl(digest)}
            name={picture?.name ?? "Picture"}
          />
        )}
        {beside === "choice" && <Others than={digest} choose={setBeside} />}
      </div>
    </div>
  );
}

interface DeedsProps {
  readonly digest: string;
  readonly picture: Picture | undefined;
  readonly remove: () => void;
}

/** What can be done with the picture. */
function Deeds({ digest, picture, remove }: DeedsProps) {
  const { ui, api, actions } = useEditor();
  return (
    <>
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
      <Button icon="trash" disabled={!picture} onClick={remove}>
        Delete
      </Button>
      <Button icon="close" onClick={() => ui.show(null)}>
        Close
      </Button>
    </>
  );
}

/** All other pictures of the gallery, for one to be laid beside this one. */
function Others({ than, choose }: { than: string; choose: (picture: Picture) => void }) {
  const { api, runs } = useEditor();
  const { pictures, next } = useRuns((state) => state.gallery);
  return (
    <aside className={css.choice}>
      <PictureGrid
        label="Compare with"
        pictures={pictures.filter((one) => one.digest !== than)}
        onEnd={() => next !== null && void runs.olderPictures()}
        tile={(one, place) => (
          <button
            type="button"
            {...place}
            aria-label={one.name}
            title={one.name}
            onClick={() => choose(one)}
          >
            <img src={api.resultUrl(one.digest, { thumb: 256 })} alt="" loading="lazy" />
          </button>
        )}
      />
    </aside>
  );
}

const told = ({ name, width, height, size }: FileView): string =>
  `${name} · ${width ?? "?"} × ${height ?? "?"} · ${Math.round(size / 1000)} kB`;
