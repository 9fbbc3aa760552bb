/** What the editor does when it is told to: with the document, the server and the screen at once. */

import type { Editor } from "../editor";
import { type FileActions, makeFileActions } from "./files";
import { makeNodeActions, type NodeActions } from "./nodes";
import { makePictureActions, type PictureActions } from "./pictures";
import { makeQueueActions, type QueueActions } from "./queue";
import { makeRunActions, type RunActions } from "./run";
import { makeShelfActions, type ShelfActions } from "./shelf";

export interface Actions {
  readonly files: FileActions;
  readonly nodes: NodeActions;
  readonly pictures: PictureActions;
  readonly queue: QueueActions;
  readonly run: RunActions;
  readonly shelf: ShelfActions;
}

/** @param editor Is not whole yet, so nothing of it may be used before an action is called. */
export const makeActions = (editor: () => Editor): Actions => ({
  files: makeFileActions(editor),
  nodes: makeNodeActions(editor),
  pictures: makePictureActions(editor),
  queue: makeQueueActions(editor),
  run: makeRunActions(editor),
  shelf: makeShelfActions(editor),
});
