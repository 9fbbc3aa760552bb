/** Names of sockets, as xyflow knows them: `o:OUTPUT`, and `i:INDEX:INPUT` with an empty index. */

import type { WireEnd } from "../doc/inputs";

export const outputHandle = (name: string): string => `o:${name}`;
export const inputHandle = (name: string, index: number | null): string =>
  `i:${index ?? ""}:${name}`;

export const outputName = (handle: string): string => handle.slice(2);

export function inputEnd(node: string, handle: string): WireEnd {
  const split = handle.indexOf(":", 2);
  const index = handle.slice(2, split);
  return { node, input: handle.slice(split + 1), index: index === "" ? null : Number(index) };
}

/** Both sockets of a reroute lie in its middle. */
export const REROUTE_IN = "r:in";
export const REROUTE_OUT = "r:out";
