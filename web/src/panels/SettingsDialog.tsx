/** Settings: searchable, kept on the server, taken along as a file. */

import { useEffect, useState } from "react";
import { useEditor, useSettings, useUi } from "../editor";
import type { ExtensionView } from "../gen/api";
import { sentenceOf } from "../server/api";
import type { Settings } from "../store/settings";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { SearchField } from "../ui/TextField";
import css from "./Panel.module.css";

interface Row {
  readonly name: keyof Settings;
  readonly label: string;
  readonly about: string;
  readonly choices?: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    name: "theme",
    label: "Theme",
    about: "Dark, light, or as the system has it.",
    choices: ["system", "dark", "light"],
  },
  {
    name: "motion",
    label: "Motion",
    about: "Whether things glide.",
    choices: ["system", "full", "reduced"],
  },
  {
    name: "wheel",
    label: "Wheel",
    about: "What the wheel does over the graph.",
    choices: ["auto", "zoom", "pan"],
  },
  {
    name: "drag",
    label: "Drag on nothing",
    about: "Select with a box, or move the view; with Shift the other.",
    choices: ["select", "pan"],
  },
  {
    name: "snap",
    label: "Snap to the grid",
    about: "Nodes keep to the grid while they are moved; Ctrl does the other.",
  },
  { name: "grid", label: "Grid", about: "Dots behind the graph." },
  { name: "minimap", label: "Map", about: "A small map in the corner." },
  { name: "previews", label: "Previews", about: "Pictures of unfinished work while it samples." },
  {
    name: "notify",
    label: "Notify",
    about: "The browser tells when a job is over while the page is not seen.",
  },
];

export function SettingsDialog() {
  const { ui, settings, questions } = useEditor();
  const open = useUi((state) => state.dialog?.kind === "settings");
  const trouble = useSettings((state) => state.trouble);
  const [typed, setTyped] = useState("");
  const query = typed.trim().toLowerCase();
  const rows = ROWS.filter((row) => `${row.label} ${row.about}`.toLowerCase().includes(query));
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
        <Line key={row.name} row={row} />
      ))}
      {"extensions packs".includes(query) && open && <Extensions />}
    </Dialog>
  );
}

function Line({ row }: { row: Row }) {
  const { settings } = useEditor();
  const value = useSettings((state) => state.values[row.name]);
  return (
    <div className={css.item}>
      <label className={css.grow} htmlFor={`setting-${row.name}`}>
        {row.label}
        <div className={css.muted}>{row.about}</div>
      </label>
      {row.choices ? (
        <select
          id={`setting-${row.name}`}
          value={String(value)}
          onChange={(event) => settings.set({ [row.name]: event.target.value })}
        >
          {row.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          id={`setting-${row.name}`}
          type="checkbox"
          checked={value === true}
          onChange={(event) => settings.set({ [row.name]: event.target.checked })}
        />
      )}
    </div>
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
        <label key={pack} className={css.item}>
          <span className={css.grow}>{pack}</span>
          <input
            type="checkbox"
            aria-label={`Load the part of ${pack}`}
            checked={on}
            onChange={(event) => void toggle(pack, event.target.checked)}
          />
        </label>
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
