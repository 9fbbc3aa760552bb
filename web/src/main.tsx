import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./ui/theme.css";
import { App } from "./app/App";
import { createEditor } from "./app/create";
import { makeInspect } from "./app/inspect";
import { openFirst, start } from "./app/start";
import { EditorContext } from "./editor";
import { adoptNonce } from "./ui/nonce";
import { UiProvider } from "./ui/UiProvider";

adoptNonce();
const { editor, toasts } = createEditor();
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

start(editor)
  .then(() => openFirst(editor))
  .catch((error: unknown) => editor.ui.toast("error", `The editor cannot start: ${String(error)}`))
  .finally(() => {
    document.body.dataset.ready = "true";
  });

if (new URLSearchParams(location.search).has("debug")) makeInspect(editor);
