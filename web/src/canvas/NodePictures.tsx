/** The pictures of a node: a look at unfinished work, then what it saved or showed. */

import { memo, type ReactNode, useState } from "react";
import { useEditor, useRuns, useTab } from "../editor";
import type { FileView } from "../gen/api";
import { Compare } from "../panels/Compare";
import type { NodeRun } from "../store/runs";
import { workflowOf } from "../store/tabs";
import { Icon } from "../ui/icons";
import css from "./NodePictures.module.css";

interface PicturesProps {
  readonly id: string;
  readonly type: string;
  /** What the node makes is a picture. */
  readonly makes: boolean;
  readonly run: NodeRun | undefined;
  readonly room: { readonly top: number; readonly height: number };
  readonly title: string;
}

const NONE: readonly FileView[] = [];
/** The node whose pictures are pairs, A and B in turns. */
const COMPARE = "image.compare";
/** Pixels of the longer side of what is asked of the server. */
const THUMB = 512;

export const NodePictures = memo(function NodePictures(props: PicturesProps) {
  const { id, type, makes, run, room, title } = props;
  const { api } = useEditor();
  const [page, setPage] = useState(0);
  const files = useFiles(id, run).filter((file) => file.media_type.startsWith("image/"));
  const each = type === COMPARE ? 2 : 1;
  const pages = Math.floor(files.length / each);
  const shown = Math.min(page, pages - 1);
  const [file, other] = files.slice(Math.max(0, shown) * each, (shown + 1) * each);
  const place = { top: room.top, height: room.height };
  const frame = (what: ReactNode, empty = false) => (
    <div className={css.room} style={place} data-empty={empty || undefined}>
      {what}
    </div>
  );
  if (run?.preview && (run.status === "running" || !file)) {
    const alt = `Preview of ${title}`;
    return frame(<img className={css.picture} src={run.preview} alt={alt} draggable={false} />);
  }
  if (!file && run?.key && makes) return frame(<Value key={run.key} of={run.key} title={title} />);
  if (!file) return frame(<Icon name="image" />, true);
  return frame(
    <>
      {other ? (
        <Compare
          a={api.resultUrl(file.digest, { thumb: THUMB })}
          b={api.resultUrl(other.digest, { thumb: THUMB })}
        />
      ) : (
        <One file={file} title={title} />
      )}
      {pages > 1 && <Pages shown={shown} pages={pages} show={setPage} />}
    </>,
  );
});

/** What a node between others has made, as long as the server keeps it. */
function Value({ of, title }: { readonly of: string; readonly title: string }) {
  const { api } = useEditor();
  const [gone, setGone] = useState(false);
  if (gone) return <Icon name="image" />;
  return (
    <img
      className={css.picture}
      src={api.valueUrl(of, THUMB)}
      alt={`Value of ${title}`}
      draggable={false}
      loading="lazy"
      onError={() => setGone(true)}
    />
  );
}

function One({ file, title }: { readonly file: FileView; readonly title: string }) {
  const { api, ui } = useEditor();
  return (
    <button
      type="button"
      className={`${css.open} nodrag`}
      aria-label={`Open ${file.name}`}
      onClick={() => ui.show({ kind: "picture", digest: file.digest })}
    >
      <img
        className={css.picture}
        src={api.resultUrl(file.digest, { thumb: THUMB })}
        alt={`Result of ${title}`}
        draggable={false}
      />
    </button>
  );
}

interface PagesProps {
  readonly shown: number;
  readonly pages: number;
  readonly show: (page: number) => void;
}

function Pages({ shown, pages, show }: PagesProps) {
  return (
    <div className={css.pages}>
      <button
        type="button"
        className="nodrag"
        aria-label="Previous picture"
        onClick={() => show((shown + pages - 1) % pages)}
      >
        <Icon name="chevron-left" />
      </button>
      {shown + 1}/{pages}
      <button
        type="button"
        className="nodrag"
        aria-label="Next picture"
        onClick={() => show((shown + 1) % pages)}
      >
        <Icon name="chevron-right" />
      </button>
    </div>
  );
}

/** What the node saved itself, or what the workflow's output that leads from it came to. */
function useFiles(id: string, run: NodeRun | undefined): readonly FileView[] {
  const job = useTab((tab) => tab.job);
  const top = useTab((tab) => tab.scope.length === 0) ?? false;
  const output = useTab((tab) => {
    const all = Object.entries(workflowOf(tab).outputs);
    return all.find(([, place]) => place.node === id)?.[0] ?? null;
  });
  const exposed = useRuns((state) => {
    if (job === null || output === null || !top) return NONE;
    return state.jobs[job]?.outputs[output]?.files ?? NONE;
  });
  return run?.files?.length ? run.files : exposed;
}
