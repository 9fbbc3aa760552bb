/** What the field of an input may ask of its surroundings, and how its value is written. */

import { useMemo } from "react";
import { setInput, withNodeLayout } from "../doc/edits";
import { isResizable } from "../doc/fields";
import type { InputFace } from "../doc/library";
import type { Json, SeedMode } from "../doc/types";
import { useEditor, useLibrary, usePlugins, useTab } from "../editor";
import { graphOf } from "../store/tabs";
import type { FieldContext } from "../widgets/field_props";

export function useFieldContext(
  node: string,
  port: InputFace,
): { context: FieldContext; change: (value: Json, done?: boolean) => void } {
  const editor = useEditor();
  const files = useLibrary((state) => (port.file ? state.files[port.file.root] : undefined));
  const type = useTab((tab) => graphOf(tab).nodes[node]?.type) ?? "";
  const seedMode =
    useTab((tab) => graphOf(tab).layout.nodes?.[node]?.seeds?.[port.name]) ?? "fixed";
  const plugin = usePlugins((state) => (port.widget ? (state.widgets[port.widget] ?? null) : null));
  return useMemo(() => {
    const { tabs, api, library, ui } = editor;
    const input = port.name;
    const tag = `value ${node} ${input}`;
    const change = (value: Json, done = true) => {
      tabs.editGraph((graph) => setInput(graph, node, input, value), tag);
      if (done) tabs.seal();
    };
    const layout = (key: "seeds" | "heights", value: SeedMode | number) =>
      tabs.editGraph(
        (graph) =>
          withNodeLayout(graph, node, (one) => ({
            ...one,
            [key]: { ...one[key], [input]: value },
          })),
        `${key} ${node} ${input}`,
      );
    const context: FieldContext = {
      files: () => files ?? null,
      refreshFiles: (root) => void library.loadFiles(root),
      upload: async (file) => {
        const kept = await api.upload([file]);
        await library.loadFiles("inputs");
        return kept.name;
      },
      inputUrl: api.inputUrl,
      seedMode,
      setSeedMode: (mode) => layout("seeds", mode),
      openMask: () => ui.show({ kind: "mask", node, input }),
      resize: isResizable(port)
        ? (height, done) => {
            layout("heights", height);
            if (done) tabs.seal();
          }
        : null,
      node: { id: node, type },
      plugin,
    };
    return { context, change };
  }, [editor, files, node, port, type, seedMode, plugin]);
}
