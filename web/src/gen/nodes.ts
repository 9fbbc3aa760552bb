// Written by scripts/types.mjs from schema/nodes.json; change the Python models, then run
// 'make schema'.

import type { JsonValue } from "./json";

/**
 * Everything that the packs declare.
 */
export interface Nodes {
  /**
   * By id.
   */
  nodes: {
    [k: string]: NodeSpec;
  };
  /**
   * By name.
   */
  sockets: {
    [k: string]: SocketSpec;
  };
  /**
   * A pack that stopped working has the nodes of its last version that did.
   */
  errors: PackFault[];
  /**
   * Packs that no worker has read yet, as they are today.
   */
  pending: string[];
}
/**
 * A node as data: all that the checker, the planner, the command line and the editor need.
 */
export interface NodeSpec {
  /**
   * `pack.function`.
   */
  id: string;
  pack: string;
  function: string;
  /**
   * Where the function is; imported only when the node must run.
   */
  module: string;
  line: number;
  title: string;
  category: string;
  description: string;
  /**
   * What stands for the code in keys: `version:...` or `source:DIGEST`.
   */
  identity: string;
  on: "cpu" | "device" | "io";
  cache: "auto" | "never";
  /**
   * It has no output: it saves or shows.
   */
  end: boolean;
  is_async: boolean;
  deprecated: string;
  was: string[];
  /**
   * `module:function` of the hooks, if any.
   */
  check: string | null;
  /**
   * `module:function` of the hooks, if any.
   */
  facts: string | null;
  inputs: InputSpec[];
  outputs: OutputSpec[];
  /**
   * Keyword-only parameters, name to service.
   */
  services: {
    [k: string]: string;
  };
}
/**
 * One input of a node.
 */
export interface InputSpec {
  name: string;
  /**
   * Socket type; of a growing input that of one link.
   */
  type: string;
  /**
   * Without a value or a link the workflow does not check.
   */
  required: boolean;
  /**
   * The initial value, as JSON.
   */
  default: JsonValue;
  /**
   * What a literal must be; None if only a link will do.
   */
  json_schema: {
    [k: string]: JsonValue;
  } | null;
  /**
   * The root and kind, if the literal names a file.
   */
  file: File | null;
  /**
   * Computed only if the node awaits it.
   */
  lazy: boolean;
  /**
   * Takes a list of links.
   */
  grows: boolean;
  /**
   * May be None.
   */
  optional: boolean;
  description: string;
  /**
   * The editor's control, with its options.
   */
  widget: string | null;
  widget_options: {
    [k: string]: JsonValue;
  };
  /**
   * Earlier names.
   */
  was: string[];
}
/**
 * Mark for `Annotated[Path, File("checkpoints")]`: a file or folder inside a named root.
 *
 * In a document the input is a name relative to the root; the function gets the whole path, and
 * the node's key holds the digest of the content.
 */
export interface File {
  root: string;
  folder: boolean;
}
/**
 * One output of a node.
 */
export interface OutputSpec {
  name: string;
  type: string;
  description: string;
  was: string[];
}
/**
 * A socket type as data; see `nodeflow.sockets.SocketType`.
 */
export interface SocketSpec {
  name: string;
  codec: string;
  colour: string;
  shape: "circle" | "square" | "diamond" | "triangle" | "hexagon";
  description: string;
}
/**
 * Why a pack cannot be used, or not as it is today.
 */
export interface PackFault {
  pack: string;
  sentence: string;
  trace: string;
}
