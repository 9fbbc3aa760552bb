/** Settings: searchable, kept on the server, taken along as a file. */

import { useEffect, useState } from "react";
import { useEditor, useSettings, useUi } from "../editor";
import type { ExtensionView } from "../gen/api";
import { sentenceOf } from "../server/api";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Switch } from "../ui/Switch";
import { SearchField } from "../ui/TextField";
import css from "./Panel.module.css";
import { SettingLine } from "./SettingLine";
import { findRows } from "./setting_rows";

export function SettingsDialog() {
  const { ui, settings, questions } = useEditor();
  const dialog = useUi((state) => (state.dialog?.kind === "settings" ? state.dialog : null));
  const open = dialog !== null;
  const trouble = useSettings((state) => state.trouble);
  const [typed, setTyped] = useState("");
  const query = typed.trim().toLowerCase();
  const rows = findRows(query);
  const packs = "extensions packs".includes(query);
  return (
    <Dialog
      open={open}
      onOpenChange={() => ui.show(null)}
      title="Settings"
      description={trouble || "Kept on the server, the same in every window."}
      actions={
        <>
          <Button onClick={() => void read(ui, settings)}>Import</Button>
          <Button onClick={() => write(settings.exportText())}>Export</Button>
          <Button onClick={() => void resetAll(settings, questions)}>Reset all</Button>
        </>
      }
    >
      <SearchField label="Search settings" value={typed} onChange={setTyped} />
      {rows.map((row) => (
        <SettingLine key={row.name} row={row} meant={dialog?.section === row.name} />
      ))}
      {rows.length === 0 && !packs && <p className={css.muted}>No setting is called like that.</p>}
      {packs && open && <Extensions />}
    </Dialog>
  );
}

/** What packs bring to the editor runs in this page, so each is asked for. */
function Extensions() {
  const { api, settings, plugins, ui } = useEditor();
  const enabled = useSettings((state) => state.values.extensions);
  const [found, setFound] = useState<readonly ExtensionView[]>([]);
  useEffect(() => {
    api.extensions().then(setFound, () => ui.say("Extensions cannot be listed."));
  }, [api, ui]);
  const toggle = async (pack: string, on: boolean) => {
    settings.set({ extensions: on ? [...enabled, pack] : enabled.filter((one) => one !== pack) });
    setFound((now) => now.map((one) => (one.pack === pack ? { ...one, enabled: on } : one)));
    try {
      await settings.flush();
      await plugins.load();
      // What is built in counts as enabled too, which only the server knows.
      setFound(await api.extensions());
      if (!on) ui.say(`What '${pack}' brought stays until the page is loaded again.`);
    } catch (error) {
      ui.toast(
        "error",
        `The server does not know of the change to '${pack}' yet: ${sentenceOf(error)}`,
      );
    }
  };
  return (
    <>
      <h3 className={css.heading}>Packs that bring something to the editor</h3>
      {found.length === 0 && <p className={css.muted}>None of your packs does.</p>}
      {found.map(({ pack, enabled: on }) => (
        <div key={pack} className={css.item}>
          <span className={css.grow}>{pack}</span>
          <Switch
            label={`Load the part of ${pack}`}
            checked={on}
            onChange={(next) => void toggle(pack, next)}
          />
        </div>
      ))}
    </>
  );
}

async function resetAll(
  settings: ReturnType<typeof useEditor>["settings"],
  questions: ReturnType<typeof useEditor>["questions"],
): Promise<void> {
  const yes = await questions.ask({
    title: "Reset all settings?",
    description: "Shortcuts, favourites, sizes of panels and the packs that you enabled go too.",
    action: "Reset all",
    danger: true,
  });
  if (yes) settings.reset();
}

function write(text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "nodeflow_settings.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function read(
  ui: ReturnType<typeof useEditor>["ui"],
  settings: ReturnType<typeof useEditor>["settings"],
): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".json";
  input.onchange = async () => {
    const text = await input.files?.[0]?.text();
    if (text === undefined) return;
    const problems = settings.importText(text);
    for (const sentence of problems) ui.toast("error", sentence);
    if (problems.length === 0) ui.say("The settings were taken.");
  };
  input.click();
}
