/** Templates to begin with, each with a picture that it made and with what it lacks here. */

import { useEffect, useState } from "react";
import { useEditor, useShelf, useUi } from "../editor";
import type { Problem } from "../server/api";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/icons";
import css from "./TemplatesDialog.module.css";

export function TemplatesDialog() {
  const { ui } = useEditor();
  const open = useUi((state) => state.dialog?.kind === "templates");
  return (
    <Dialog open={open} onOpenChange={() => ui.show(null)} title="Templates" size="large">
      {open && <Cards />}
    </Dialog>
  );
}

function Cards() {
  const { ui, api, actions } = useEditor();
  const templates = useShelf((state) => state.workflows).filter((one) => one.template);
  const missing = useMissing(templates.map((one) => one.path));
  const begin = (path: string) => {
    ui.show(null);
    void actions.files.openSaved(path, { template: true });
  };
  return (
    <ul className={css.cards}>
      {templates.map((info) => (
        <li key={info.path}>
          <button type="button" className={css.card} onClick={() => begin(info.path)}>
            {info.thumbnail ? (
              <img src={api.thumbnailUrl(info.path)} alt="" />
            ) : (
              <span className={css.none}>
                <Icon name="image" size={28} />
              </span>
            )}
            <span className={css.name}>{info.name}</span>
            <span className={css.text}>{info.description}</span>
            <Missing problems={missing[info.path] ?? []} />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What is missing first; all of it is told when the template is opened. */
function Missing({ problems: [first, ...others] }: { problems: readonly Problem[] }) {
  if (!first) return null;
  return (
    <>
      <span
        className={css.missing}
        title={[first, ...others].map((one) => one.sentence).join("\n")}
      >
        <Icon name="warning" size={13} /> {first.sentence}
      </span>
      {others.length > 0 && <span className={css.more}>and {others.length} more</span>}
    </>
  );
}

/** Files and nodes that workflows name and this server does not have, by the workflow's path. */
function useMissing(paths: readonly string[]): Readonly<Record<string, readonly Problem[]>> {
  const { api } = useEditor();
  const [found, setFound] = useState<Readonly<Record<string, readonly Problem[]>>>({});
  const all = paths.join("\n");
  useEffect(() => {
    const leaving = new AbortController();
    for (const path of all.split("\n").filter(Boolean)) {
      api.check({ path }, { signal: leaving.signal }).then(
        (problems) => {
          const missing = problems.filter(
            (one) => one.code === "missing_file" || one.code === "unknown_type",
          );
          if (!leaving.signal.aborted) setFound((before) => ({ ...before, [path]: missing }));
        },
        // What is missing is told again when the template is opened.
        () => undefined,
      );
    }
    return () => leaving.abort();
  }, [api, all]);
  return found;
}
