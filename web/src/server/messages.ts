/** What comes over the socket, and how its frames are read. */

import type { EventFrame, PreviewHead, ServerEvent } from "../gen/events";

export type LiveEvent = ServerEvent;

/** A look at what a node is making. */
export interface Preview {
  readonly job: string;
  readonly node: string;
  readonly blob: Blob;
}

/** Number of an event; 0 for those that are not kept, such as progress. */
export const seqOf = (event: LiveEvent): number => ("seq" in event ? event.seq : 0);

/** The node of a job, as one text. */
export const placeOf = (job: string, node: string): string => `${job}\n${node}`;

export const readFrame = (text: string): EventFrame => JSON.parse(text) as EventFrame;

const LENGTH_BYTES = 4;

/** A binary frame: the length of its JSON head (big-endian), the head, the picture. */
export function readPreview(frame: ArrayBuffer): Preview {
  const length = new DataView(frame).getUint32(0);
  const start = LENGTH_BYTES + length;
  const text = new TextDecoder().decode(new Uint8Array(frame, LENGTH_BYTES, length));
  const { job, node, media_type: type } = JSON.parse(text) as PreviewHead;
  return { job, node, blob: new Blob([new Uint8Array(frame, start)], { type }) };
}
