/** What a control of an input gets, and what it may ask of its surroundings. */

import type { InputFace } from "../doc/library";
import type { Json, SeedMode } from "../doc/types";

/** `node`: a row of a node card, the label is drawn at its left; else there is more room. */
type FieldPlace = "node" | "form" | "panel";

export interface FileChoice {
  readonly name: string;
  /** The kind of model that it belongs to, and in which numbers it is stored; empty if unknown. */
  readonly family?: string | undefined;
  /** What people call a model; empty if its family is all that is known. */
  readonly title?: string | undefined;
  readonly precision?: string | undefined;
  /** Names of the files with the same content. */
  readonly same_as?: readonly string[] | undefined;
  /** Why it cannot be used, as a sentence. */
  readonly problem?: string | undefined;
}

export interface FieldContext {
  /** Null while nobody knows which there are. */
  readonly files: (root: string) => readonly FileChoice[] | null;
  readonly refreshFiles: (root: string) => void;
  /** Sends a file into the inputs of the server and gives the name it has there. */
  readonly upload: (file: File) => Promise<string>;
  readonly inputUrl: (name: string, thumb?: number) => string;
  readonly seedMode: SeedMode;
  readonly setSeedMode: (mode: SeedMode) => void;
  readonly openMask: (() => void) | null;
  readonly maxHeight?: number | undefined;
  /**
   * Keeps a height that the user has given the field; null if it cannot be resized. With `done` the
   * pointer was let go, and what comes next is another step of undo.
   */
  readonly resize: ((height: number, done?: boolean) => void) | null;
  readonly node: { readonly id: string; readonly type: string };
  readonly plugin: PluginWidget | null;
}

export interface FieldProps {
  readonly port: InputFace;
  /** The literal, or the default. */
  readonly value: Json;
  /** `done` is false while a drag or typing goes on: all of it is one step of undo. */
  readonly onChange: (value: Json, done?: boolean) => void;
  /** Id of the control, for the label. */
  readonly id: string;
  /** Accessible name. */
  readonly label: string;
  /** A wire feeds the input, or the graph is locked. */
  readonly disabled: boolean;
  /** What the node is called whose wire feeds the input. */
  readonly source?: string | null;
  /** What is wrong with the value, as a sentence. */
  readonly problem: string | null;
  readonly place: FieldPlace;
  readonly context: FieldContext;
}

/** What a pack's own widget is told when it is put on the page. */
export interface PluginMount {
  readonly value: Json;
  readonly spec: InputFace;
  readonly onChange: (value: Json, done?: boolean) => void;
  readonly node: { readonly id: string; readonly type: string };
  /**
   * Ask for another height, in pixels; the document keeps it. For what the user does in the widget:
   * a height that it always has stands in the options of the input.
   */
  readonly resize: (height: number) => void;
  /** Aborts when the widget leaves the page. */
  readonly signal: AbortSignal;
}

export interface PluginHandle {
  readonly update: (value: Json) => void;
}

/** A widget of a pack, of no framework. */
export interface PluginWidget {
  /** The pack, for sentences. */
  readonly pack?: string | undefined;
  readonly mount: (element: HTMLElement, told: PluginMount) => PluginHandle;
}

/** Attributes that every control bears: its id, its name, and what is wrong with it. */
export const controlProps = (props: FieldProps) => ({
  id: props.id,
  "aria-label": props.label,
  "aria-invalid": props.problem ? (true as const) : undefined,
  "aria-describedby": props.problem ? problemId(props.id) : undefined,
});

/** What an empty control says of where its value comes from. */
export const sourceSaid = ({ source }: FieldProps): string | undefined =>
  source ? `from ${source}` : undefined;

export const problemId = (id: string): string => `${id}-problem`;
