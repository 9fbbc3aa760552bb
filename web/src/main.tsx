import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./ui/theme.css";
import { App } from "./app/App";
import { createEditor } from "./app/create";
import { makeInspect } from "./app/inspect";
import { fetchParts } from "./app/parts";
import { attend, openFirst, readFirst, start } from "./app/start";
import { EditorContext } from "./editor";
import { adoptNonce } from "./ui/nonce";
import { UiProvider } from "./ui/UiProvider";

/** The first view has the line to itself for so long. */
const SETTLED_MS = 1500;

adoptNonce();
const { editor, toasts } = createEditor();
// All that the first view needs is asked for before anything of it is drawn.
const first = readFirst(editor);
const started = start(editor);
// Keys that are pressed right after Ctrl+K are meant for the palette, so it is here before that.
const dialogs = import("./app/AllDialogs");
const root = document.getElementById("root");
if (!root) throw new Error("The page has no element 'root'.");

createRoot(root).render(
  <StrictMode>
    <EditorContext value={editor}>
      <UiProvider toasts={toasts} questions={editor.questions}>
        <App />
      </UiProvider>
    </EditorContext>
  </StrictMode>,
);

started
  .then(() => openFirst(editor, first).finally(() => attend(editor)))
  .then(() => dialogs)
  .catch((error: unknown) => editor.ui.toast("error", `The editor cannot start: ${String(error)}`))
  .finally(() => {
    document.body.dataset.ready = "true";
    setTimeout(fetchRest, SETTLED_MS);
  });

function fetchRest(): void {
  fetchParts().then(
    () => {
      document.body.dataset.whole = "true";
    },
    // The server is away already: each part is asked for again when it is opened.
    () => {},
  );
}

if (new URLSearchParams(location.search).has("debug")) makeInspect(editor);
