/** Names of sockets, as xyflow knows them: `o:OUTPUT`, and `i:INDEX:INPUT` with an empty index. */

import type { WireEnd } from "../doc/inputs";
import type { Socket } from "../doc/sockets";

export const outputHandle = (name: string): string => `o:${name}`;
export const inputHandle = (name: string, index: number | null): string =>
  `i:${index ?? ""}:${name}`;

export const outputName = (handle: string): string => handle.slice(2);

export function inputEnd(node: string, handle: string): WireEnd {
  const split = handle.indexOf(":", 2);
  const index = handle.slice(2, split);
  return { node, input: handle.slice(split + 1), index: index === "" ? null : Number(index) };
}

export const socketHandle = ({ side, name, index }: Socket): string =>
  side === "output" ? outputHandle(name) : inputHandle(name, index);

/** The socket of a node that a handle names. */
export function handleSocket(node: string, handle: string): Socket {
  if (handle.startsWith("o:")) {
    return { node, side: "output", name: outputName(handle), index: null };
  }
  const { input: name, index } = inputEnd(node, handle);
  return { node, side: "input", name, index };
}

/** Both sockets of a reroute lie in its middle. */
export const REROUTE_IN = "r:in";
export const REROUTE_OUT = "r:out";
