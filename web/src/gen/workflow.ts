// Written by scripts/types.mjs from schema/workflow.json; change the Python models, then run
// 'make schema'.

import type { JsonValue } from "./json";

/**
 * A workflow document. Two that are equal compute the same and look the same.
 */
export interface Workflow {
  nodes?: {
    [k: string]: NodeEntry;
  };
  inputs?: {
    [k: string]: InputPlace | InputPlace[];
  };
  outputs?: {
    [k: string]: OutputPlace;
  };
  layout?: {
    [k: string]: JsonValue;
  };
  nodeflow: number;
  name?: string;
  groups?: {
    [k: string]: Graph;
  };
  [k: string]: unknown;
}
/**
 * One node: its type and its inputs.
 */
export interface NodeEntry {
  type: string;
  /**
   * A JSON object is a link, a list with objects in it is a list of links, a literal object is written `{"value": ...}`; everything else is a literal.
   */
  inputs?: {
    [k: string]: JsonValue;
  };
  /**
   * `bypass` hands an input through, `mute` takes the node and its dependants out.
   */
  mode?: ("bypass" | "mute") | null;
  /**
   * Only for calls of groups (`type` is `group:NAME`).
   */
  repeat?: Repeat | null;
  [k: string]: unknown;
}
/**
 * Runs a group call several times, outputs fed back into inputs.
 */
export interface Repeat {
  /**
   * How often; with `until`, at most.
   */
  times: number;
  /**
   * A bool output of the group: the round in which it is true is the last.
   */
  until?: string | null;
  /**
   * Output of one round to input of the next.
   */
  feed?: {
    [k: string]: string;
  };
  [k: string]: unknown;
}
/**
 * An input of a node inside this graph.
 */
export interface InputPlace {
  node: string;
  input: string;
  [k: string]: unknown;
}
/**
 * An output of a node inside this graph; empty means its only one.
 */
export interface OutputPlace {
  node: string;
  output?: string;
  [k: string]: unknown;
}
/**
 * Nodes with what they show to the outside: a workflow, or a group in it.
 */
export interface Graph {
  nodes?: {
    [k: string]: NodeEntry;
  };
  /**
   * Exposed inputs by name; one may feed several places.
   */
  inputs?: {
    [k: string]: InputPlace | InputPlace[];
  };
  outputs?: {
    [k: string]: OutputPlace;
  };
  /**
   * All that cannot change a result.
   */
  layout?: {
    [k: string]: JsonValue;
  };
  [k: string]: unknown;
}
