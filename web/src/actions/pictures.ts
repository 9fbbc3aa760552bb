/** Pictures and files that come from outside, or from the gallery, onto the canvas. */

import { setInput } from "../doc/edits";
import { faceOf } from "../doc/library";
import type { Point } from "../doc/types";
import type { Editor } from "../editor";
import { sentenceOf } from "../server/api";
import { graphOf, workflowOf } from "../store/tabs";

export interface PictureActions {
  /** Files that were dropped at a place, maybe on a node. */
  drop(files: readonly File[], at: Point, onto: string | null): Promise<void>;
  /** Use a result as the input of a node that loads pictures; of a new one if it was not dropped on one. */
  takeResult(digest: string, at: Point, onto: string | null): Promise<void>;
  /** Pictures of the clipboard become nodes that load them. */
  paste(files: readonly File[]): Promise<void>;
  /** Delete a result, if the user says yes; whether it is gone. */
  askRemove(picture: { readonly digest: string; readonly name: string }): Promise<boolean>;
}

/** The node that loads a picture. */
const LOAD_IMAGE = "image.load";

/** The input of a node that takes a picture's file; null if it has none. */
export function pictureInput(editor: Editor, node: string): string | null {
  const tab = editor.tabs.current();
  const entry = tab && graphOf(tab).nodes[node];
  if (!tab || !entry) return null;
  const { library } = editor.library.getState();
  const face = faceOf(node, entry, graphOf(tab), workflowOf(tab), library);
  return face.inputs.find((port) => port.file?.root === "inputs")?.name ?? null;
}

export function makePictureActions(get: () => Editor): PictureActions {
  /** Send a picture and put its name into a node; a new node if none is meant. */
  const load = async (file: File, at: Point, onto: string | null) => {
    const editor = get();
    const input = onto === null ? null : pictureInput(editor, onto);
    const edit = editor.tabs.here();
    try {
      const kept = await editor.api.upload([file]);
      await editor.library.loadFiles("inputs");
      if (onto !== null && input !== null) {
        edit((graph) => setInput(graph, onto, input, kept.name));
      } else editor.actions.nodes.add(LOAD_IMAGE, at, null, { file: kept.name });
      editor.ui.say(`Uploaded ${file.name}.`);
    } catch (error) {
      editor.ui.toast("error", `'${file.name}' was not taken: ${sentenceOf(error)}`);
    }
  };
  const isPicture = (file: File) => file.type.startsWith("image/");

  return {
    async drop(files, at, onto) {
      const input = onto === null ? null : pictureInput(get(), onto);
      for (const [index, file] of files.entries()) {
        const place: Point = [at[0] + 40 * index, at[1] + 40 * index];
        if (isPicture(file) && input !== null) await load(file, place, onto);
        else if (!isPicture(file)) await get().actions.files.openFile(file, file.name);
        else if ((await get().actions.files.openFile(file, file.name, true)) === "no workflow") {
          await load(file, place, null);
        }
      }
    },
    async takeResult(digest, at, onto) {
      const { api, ui } = get();
      try {
        const answer = await fetch(api.resultUrl(digest));
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        const blob = await answer.blob();
        const suffix = blob.type.split("/")[1] ?? "png";
        await load(
          new File([blob], `${digest.slice(0, 12)}.${suffix}`, { type: blob.type }),
          at,
          onto,
        );
      } catch (error) {
        ui.toast("error", `The picture cannot be used: ${sentenceOf(error)}`);
      }
    },
    async paste(files) {
      const at = get().canvas.pointer();
      for (const [index, file] of files.entries()) {
        await load(file, [at[0] + 40 * index, at[1] + 40 * index], null);
      }
    },
    async askRemove({ digest, name }) {
      const { api, ui, questions } = get();
      const yes = await questions.ask({
        title: `Delete ${name}?`,
        description: "The file is gone then; running the workflow again makes it anew.",
        action: "Delete",
        danger: true,
      });
      if (!yes) return false;
      try {
        await api.deleteResult(digest);
        ui.say("The picture is deleted.");
        return true;
      } catch (error) {
        ui.toast("error", `The picture is not deleted: ${sentenceOf(error)}`);
        return false;
      }
    },
  };
}
