/** The pictures that jobs made, the newest first. */

import { type KeyboardEvent, useEffect, useState } from "react";
import { DRAGGED_PICTURE } from "../canvas/useDrops";
import { useEditor, useRuns } from "../editor";
import type { Picture } from "../gen/api";
import { EmptyState } from "../ui/Badge";
import { Button } from "../ui/Button";
import { ContextMenu } from "../ui/ContextMenu";
import { SearchField } from "../ui/TextField";
import { Panel } from "./Panel";
import css from "./Panel.module.css";

export function GalleryPanel() {
  const { runs } = useEditor();
  const gallery = useRuns((state) => state.gallery);
  const jobs = useRuns((state) => state.jobs);
  const [typed, setTyped] = useState("");
  useEffect(() => void runs.loadGallery(), [runs]);
  const query = typed.trim().toLowerCase();
  const shown = gallery.pictures.filter(
    ({ name, job }) =>
      query === "" ||
      `${name} ${jobs[job]?.name ?? ""} ${jobs[job]?.path ?? ""}`.toLowerCase().includes(query),
  );
  const walk = (event: KeyboardEvent<HTMLDivElement>) => {
    const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-tile]")];
    const at = tiles.indexOf(document.activeElement as HTMLElement);
    const columns = Math.max(1, Math.round(event.currentTarget.clientWidth / 102));
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
    };
    const step = steps[event.key];
    if (step === undefined || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    tiles[Math.min(tiles.length - 1, Math.max(0, at + step))]?.focus();
  };
  return (
    <Panel
      title="Gallery"
      search={
        <SearchField
          label="Filter pictures"
          value={typed}
          onChange={setTyped}
          placeholder="Name or workflow"
        />
      }
    >
      {shown.length === 0 ? (
        <EmptyState
          icon="gallery"
          title={query ? "No picture is called like that" : "No pictures yet"}
        >
          What your workflows make appears here.
        </EmptyState>
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: pictures in a grid that arrows walk
        <div className={css.grid} role="group" aria-label="Pictures" onKeyDown={walk}>
          {shown.map((picture) => (
            <Tile key={picture.digest} picture={picture} />
          ))}
        </div>
      )}
      {gallery.next !== null && (
        <Button onClick={() => void runs.olderPictures()}>Older pictures</Button>
      )}
    </Panel>
  );
}

function Tile({ picture }: { picture: Picture }) {
  const { api, ui, actions, canvas, questions } = useEditor();
  const { digest, name, job } = picture;
  const open = () => ui.show({ kind: "picture", digest });
  const remove = async () => {
    const yes = await questions.ask({
      title: `Delete ${name}?`,
      description: "The file is gone then; running the workflow again makes it anew.",
      action: "Delete",
      danger: true,
    });
    if (yes) await actions.pictures.remove(digest);
  };
  return (
    <ContextMenu
      items={[
        { label: "Open", run: open },
        { label: "Open its workflow", icon: "node", run: () => void actions.files.openJob(job) },
        {
          label: "Use as an input",
          icon: "image",
          run: () => void actions.pictures.takeResult(digest, canvas.pointer(), null),
        },
        {
          label: "Download",
          icon: "download",
          run: () => void window.open(api.resultUrl(digest, { download: true })),
        },
        "separator",
        { label: "Delete", icon: "trash", danger: true, run: () => void remove() },
      ]}
    >
      <button
        type="button"
        data-tile
        className={css.tile}
        aria-label={name}
        title={name}
        draggable
        onDragStart={(event) => event.dataTransfer.setData(DRAGGED_PICTURE, digest)}
        onClick={open}
        onKeyDown={(event) => {
          if (event.key !== "Delete") return;
          event.stopPropagation();
          void remove();
        }}
      >
        <img src={api.resultUrl(digest, { thumb: 256 })} alt="" loading="lazy" />
      </button>
    </ContextMenu>
  );
}
