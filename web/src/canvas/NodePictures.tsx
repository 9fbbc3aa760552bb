/** The pictures of a node: a look at unfinished work, then what it saved or showed. */

import { memo, useState } from "react";
import { useEditor, useRuns, useTab } from "../editor";
import type { FileView } from "../gen/api";
import type { NodeRun } from "../store/runs";
import { workflowOf } from "../store/tabs";
import { Icon } from "../ui/icons";
import css from "./NodePictures.module.css";

interface PicturesProps {
  readonly id: string;
  readonly run: NodeRun | undefined;
  readonly room: { readonly top: number; readonly height: number };
  readonly title: string;
}

const NONE: readonly FileView[] = [];

export const NodePictures = memo(function NodePictures({ id, run, room, title }: PicturesProps) {
  const { api, ui } = useEditor();
  const [shown, setShown] = useState(0);
  const files = useFiles(id, run).filter((file) => file.media_type.startsWith("image/"));
  const file = files[Math.min(shown, files.length - 1)];
  const place = { top: room.top, height: room.height };
  if (run?.preview && (run.status === "running" || !file)) {
    return (
      <div className={css.room} style={place}>
        <img
          className={css.picture}
          src={run.preview}
          alt={`Preview of ${title}`}
          draggable={false}
        />
      </div>
    );
  }
  if (!file) {
    return (
      <div className={css.room} style={place} data-empty>
        <Icon name="image" />
      </div>
    );
  }
  return (
    <div className={css.room} style={place}>
      <button
        type="button"
        className={`${css.open} nodrag`}
        aria-label={`Open ${file.name}`}
        onClick={() => ui.show({ kind: "picture", digest: file.digest })}
      >
        <img
          className={css.picture}
          src={api.resultUrl(file.digest, { thumb: 512 })}
          alt={`Result of ${title}`}
          draggable={false}
        />
      </button>
      {files.length > 1 && (
        <div className={css.pages}>
          <button
            type="button"
            className="nodrag"
            aria-label="Previous picture"
            onClick={() => setShown((shown + files.length - 1) % files.length)}
          >
            <Icon name="chevron-left" />
          </button>
          {Math.min(shown, files.length - 1) + 1}/{files.length}
          <button
            type="button"
            className="nodrag"
            aria-label="Next picture"
            onClick={() => setShown((shown + 1) % files.length)}
          >
            <Icon name="chevron-right" />
          </button>
        </div>
      )}
    </div>
  );
});

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
