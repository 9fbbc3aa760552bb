/** The parts of the page that are not in its first view. */

import { type ComponentType, lazy } from "react";
import type { LeftPanel, RightPanel } from "../store/ui";

const fetchers: (() => Promise<unknown>)[] = [];

/** A part that is fetched when it is opened, or with all others once the first view is there. */
function part(fetch: () => Promise<ComponentType>): ComponentType {
  fetchers.push(fetch);
  return lazy(async () => ({ default: await fetch() }));
}

export const LEFT: Readonly<Record<LeftPanel, ComponentType>> = {
  library: part(async () => (await import("../panels/LibraryPanel")).LibraryPanel),
  outline: part(async () => (await import("../panels/OutlinePanel")).OutlinePanel),
  workflows: part(async () => (await import("../panels/WorkflowsPanel")).WorkflowsPanel),
};
export const RIGHT: Readonly<Record<RightPanel, ComponentType>> = {
  inspector: part(async () => (await import("../panels/InspectorPanel")).InspectorPanel),
  queue: part(async () => (await import("../panels/QueuePanel")).QueuePanel),
  history: part(async () => (await import("../panels/HistoryPanel")).HistoryPanel),
  gallery: part(async () => (await import("../panels/GalleryPanel")).GalleryPanel),
};
export const FormView = part(async () => (await import("../panels/FormView")).FormView);
export const OtherDialogs = part(async () => (await import("./OtherDialogs")).OtherDialogs);

/** Fetch all parts, so that they open at once, and also while the server is away. */
export async function fetchParts(): Promise<void> {
  await Promise.all(fetchers.map((fetch) => fetch()));
}
