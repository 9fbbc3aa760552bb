/** Settings in words: what the dialog shows, and what the palette finds. */

import { MOST_BATCH, type Settings } from "../store/settings_values";

export interface SettingRow {
  readonly name: keyof Settings;
  readonly label: string;
  readonly about: string;
  /** One of a few words; without it or a `range` it is on or off. */
  readonly choices?: readonly string[];
  /** A whole number, from and to. */
  readonly range?: readonly [number, number];
}

export const SETTING_ROWS: readonly SettingRow[] = [
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
    name: "batch",
    label: "Batch count",
    about: "How many jobs a press on Run hands in; their seeds count up.",
    range: [1, MOST_BATCH],
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

/** The rows in whose words a query is. */
export const findRows = (query: string): readonly SettingRow[] =>
  SETTING_ROWS.filter((row) =>
    `${row.label} ${row.about} ${row.name}`.toLowerCase().includes(query.trim().toLowerCase()),
  );
