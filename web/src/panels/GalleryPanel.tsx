/** The pictures that jobs made, the newest first. */

import { useEffect, useState } from "react";
import { DRAGGED_PICTURE } from "../canvas/useDrops";
import { useEditor, useRuns } from "../editor";
import type { Picture } from "../gen/api";
import { EmptyState } from "../ui/Badge";
import { Button } from "../ui/Button";
import { ContextMenu } from "../ui/ContextMenu";
import { SearchField } from "../ui/TextField";
import { Panel } from "./Panel";
import { PictureGrid, type TileProps } from "./PictureGrid";

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
  return (
    <Panel
      title="Gallery"
      fill
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
        <PictureGrid
          label="Pictures"
          pictures={shown}
          onEnd={() => gallery.next !== null && void runs.olderPictures()}
          tile={(picture, props) => <Tile picture={picture} {...props} />}
        />
      )}
      {gallery.next !== null && (
        <Button onClick={() => void runs.olderPictures()}>Older pictures</Button>
      )}
    </Panel>
  );
}

function Tile({ picture, ...place }: TileProps & { readonly picture: Picture }) {
  const { api, ui, actions, canvas } = useEditor();
  const { digest, name, job } = picture;
  const open = () => ui.show({ kind: "picture", digest });
  const remove = () => actions.pictures.askRemove(picture);
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
        {...place}
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
