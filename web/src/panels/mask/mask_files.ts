/** The picture as it comes from the server, and goes back with its mask. */

import { setInput } from "../../doc/edits";
import type { Editor } from "../../editor";
import { withMask } from "../../pictures/mask";
import type { Painting } from "../../pictures/painting";
import { decodePng, encodePng, type Pixels } from "../../pictures/png";
import type { Api } from "../../server/api";

/** The pixels of a file among the inputs, upright, whatever its format. */
export async function openPainting(api: Api, name: string, signal: AbortSignal): Promise<Pixels> {
  const address = new URL(api.inputUrl(name));
  // The server knows every format, and turns photographs upright as nodes do.
  address.searchParams.set("format", "png");
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error(await refusal(answer, name));
  return decodePng(new Uint8Array(await answer.arrayBuffer()));
}

async function refusal(answer: Response, name: string): Promise<string> {
  try {
    const told = (await answer.json()) as { readonly detail?: unknown };
    if (typeof told.detail === "string") return told.detail;
  } catch {
    // Something on the way answered, not the server; the status still says what it is.
  }
  return `'${name}' does not come from the server: it answered ${answer.status}.`;
}

/** Send the picture with its mask, and have the node load that one: one step of undo. */
export async function saveMask(
  editor: Editor,
  painting: Painting,
  name: string,
  node: string,
  input: string,
): Promise<void> {
  const edit = editor.tabs.here();
  const png = await encodePng(withMask(painting.pixels, painting.mask));
  const file = new File([png], maskedName(name), { type: "image/png" });
  const kept = await editor.api.upload([file]);
  await editor.library.loadFiles("inputs");
  edit((graph) => setInput(graph, node, input, kept.name));
  editor.tabs.seal();
  editor.ui.say(`The mask is saved in ${kept.name}.`);
}

/** `uploads/fox-1a2b3c4d.jpg` is `fox-masked.png` then; so it is, when it is painted on again. */
export function maskedName(name: string): string {
  const file = name.slice(name.lastIndexOf("/") + 1).replace(/\.[^.]+$/, "");
  const stem = name.startsWith("uploads/") ? file.replace(/-[0-9a-f]{8}$/, "") : file;
  return `${stem.replace(/-masked$/, "")}-masked.png`;
}
