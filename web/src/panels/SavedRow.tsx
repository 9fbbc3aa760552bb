/** A saved workflow: opened by a press; renamed, deleted, or an earlier version opened by its menu. */

import { useState } from "react";
import { useEditor, useTab } from "../editor";
import type { WorkflowInfo, WorkflowVersion } from "../gen/api";
import { sentenceOf } from "../server/api";
import { IconButton } from "../ui/Button";
import { Menu } from "../ui/Menu";
import css from "./Panel.module.css";

export function SavedRow({ info }: { info: WorkflowInfo }) {
  const { api, actions, ui } = useEditor();
  const [versions, setVersions] = useState<readonly WorkflowVersion[]>([]);
  const inView = useTab((tab) => tab.path === info.path) ?? false;
  const load = () =>
    api
      .versions(info.path)
      .then(setVersions, (error: unknown) =>
        ui.toast("error", `Versions cannot be listed: ${sentenceOf(error)}`),
      );
  return (
    <li className={css.item} data-active={inView || undefined}>
      <button
        type="button"
        className={`${css.plain} ${css.grow}`}
        title={info.problem || info.description || info.name}
        onClick={() => void actions.files.openSaved(info.path)}
      >
        {info.path.split("/").at(-1)}
        <div className={info.problem ? css.bad : css.muted}>
          {info.problem || new Date(1000 * info.modified).toLocaleString()}
        </div>
      </button>
      <Menu
        trigger={<IconButton icon="more" label={`More of ${info.path}`} />}
        onOpenChange={(open) => void (open && load())}
        items={[
          {
            label: "Rename",
            icon: "edit",
            run: () => ui.show({ kind: "rename", path: info.path }),
          },
          {
            label: "Delete",
            icon: "trash",
            danger: true,
            run: () => void actions.shelf.remove(info),
          },
          { heading: "Versions" },
          ...versions.map((version) => ({
            label: `${version.number}: ${new Date(1000 * version.time).toLocaleString()}`,
            run: () => void actions.files.openVersion(info.path, version.number),
          })),
        ]}
      />
    </li>
  );
}
