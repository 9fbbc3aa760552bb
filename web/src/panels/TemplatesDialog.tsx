/** Templates to begin with, each with a picture that it made. */

import { useEditor, useShelf, useUi } from "../editor";
import { Dialog } from "../ui/Dialog";
import css from "./TemplatesDialog.module.css";

export function TemplatesDialog() {
  const { ui, api, actions } = useEditor();
  const open = useUi((state) => state.dialog?.kind === "templates");
  const templates = useShelf((state) => state.workflows).filter((one) => one.template);
  const begin = (path: string) => {
    ui.show(null);
    void actions.files.openSaved(path, { template: true });
  };
  return (
    <Dialog open={open} onOpenChange={() => ui.show(null)} title="Templates" size="large">
      <ul className={css.cards}>
        {templates.map((info) => (
          <li key={info.path}>
            <button type="button" className={css.card} onClick={() => begin(info.path)}>
              {info.thumbnail ? (
                <img src={api.thumbnailUrl(info.path)} alt="" />
              ) : (
                <span className={css.none} />
              )}
              <span className={css.name}>{info.name}</span>
              <span className={css.text}>{info.description}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
