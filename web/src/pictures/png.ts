/**
 * PNG, exactly: what a canvas writes has lost the colours beneath transparent pixels, because a
 * canvas multiplies colours with alpha. Eight bits a channel, not interlaced; grey, RGB and RGBA.
 */

import { crc32 } from "./crc";
import { filterRow, unfilterRow } from "./png_filters";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for RGB, 4 for RGBA. */
  readonly channels: 1 | 3 | 4;
  /** Rows from the top, `width * channels` bytes each. */
  readonly data: Uint8Array;
  /** What says how the colours are meant, as chunks that are handed on untouched. */
  readonly colour: readonly Chunk[];
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOUR_CHUNKS = ["iCCP", "sRGB", "gAMA", "cHRM"];
const CHANNELS: Readonly<Record<number, Pixels["channels"]>> = { 0: 1, 2: 3, 6: 4 };
const COLOUR_TYPES: Readonly<Record<Pixels["channels"], number>> = { 1: 0, 3: 2, 4: 6 };
const PAETH = 4;
/** Rows are handed to the compressor in blocks of about so many bytes. */
const BLOCK = 1 << 20;

/** Most pixels that are read, as each takes up to ten bytes while a mask is painted. */
const MAX_PIXELS = 100_000_000;

/** A PNG of the pixels, byte for byte what another reader gives back. */
export async function encodePng(pixels: Pixels): Promise<Blob> {
  const { width, height, channels, colour } = pixels;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOUR_TYPES[channels], 0, 0, 0], 8);
  const parts: Uint8Array<ArrayBuffer>[] = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    ...colour.map(({ type, data }) => chunk(type, data)),
  ];
  const squeezed = filtered(pixels).pipeThrough(new CompressionStream("deflate"));
  for await (const part of blocks(squeezed)) parts.push(chunk("IDAT", part));
  parts.push(chunk("IEND", new Uint8Array(0)));
  return new Blob(parts, { type: "image/png" });
}

/**
 * The pixels of a PNG.
 *
 * Throws an `Error` with a sentence if it is no PNG, damaged, of another kind, or too large.
 */
export async function decodePng(file: Uint8Array): Promise<Pixels> {
  if (!SIGNATURE.every((byte, at) => file[at] === byte)) throw new Error("This is no PNG.");
  const chunks = chunksOf(file);
  const head = chunks.find((one) => one.type === "IHDR")?.data;
  if (head?.length !== 13) throw new Error("The PNG has no header; it is damaged.");
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, kind, , , interlaced] = head.subarray(8);
  const channels = CHANNELS[kind ?? -1];
  if (depth !== 8 || channels === undefined || interlaced) {
    throw new Error("The PNG is not plain grey, RGB or RGBA of 8 bits; convert it first.");
  }
  if (width === 0 || height === 0) throw new Error("The PNG has no pixels; it is damaged.");
  if (width * height > MAX_PIXELS) {
    throw new Error(
      `The picture is ${width} × ${height}, more than the limit of ${MAX_PIXELS / 1e6} megapixels; make it smaller first.`,
    );
  }
  const data = await unfiltered(chunks, width, height, channels);
  const colour = chunks.filter(({ type }) => COLOUR_CHUNKS.includes(type));
  return { width, height, channels, data, colour };
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(data.length + 12);
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  for (let at = 0; at < 4; at++) made[4 + at] = type.charCodeAt(at);
  made.set(data, 8);
  view.setUint32(data.length + 8, crc32(made.subarray(4, data.length + 8)));
  return made;
}

function chunksOf(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found: Chunk[] = [];
  for (let at = SIGNATURE.length; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > file.length) throw new Error("The PNG is cut off; get a whole copy of it.");
    if (crc32(file.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw new Error("The PNG is damaged; get a whole copy of it.");
    }
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    found.push({ type, data: file.subarray(at + 8, end) });
    at = end + 4;
  }
  return found;
}

/** The rows, each behind the number of its filter, in blocks. */
function filtered({
  width,
  height,
  channels,
  data,
}: Pixels): ReadableStream<Uint8Array<ArrayBuffer>> {
  const stride = width * channels;
  const rows = Math.max(1, Math.floor(BLOCK / stride));
  let y = 0;
  return new ReadableStream({
    pull(controller) {
      const end = Math.min(height, y + rows);
      const block = new Uint8Array((end - y) * (stride + 1));
      for (let at = 0; y < end; y++, at += stride + 1) {
        block[at] = PAETH;
        filterRow(data, y, stride, channels, block.subarray(at + 1, at + 1 + stride));
      }
      controller.enqueue(block);
      if (y === height) controller.close();
    },
  });
}

async function unfiltered(
  chunks: readonly Chunk[],
  width: number,
  height: number,
  channels: Pixels["channels"],
): Promise<Uint8Array> {
  const stride = width * channels;
  const data = new Uint8Array(height * stride);
  const row = new Uint8Array(stride + 1);
  let [y, filled] = [0, 0];
  const packed = new Blob(
    chunks.filter(({ type }) => type === "IDAT").map((one) => Uint8Array.from(one.data)),
  );
  try {
    for await (const block of blocks(
      packed.stream().pipeThrough(new DecompressionStream("deflate")),
    )) {
      for (let at = 0; at < block.length && y < height; ) {
        const taken = Math.min(block.length - at, row.length - filled);
        row.set(block.subarray(at, at + taken), filled);
        at += taken;
        filled += taken;
        if (filled < row.length) continue;
        data.set(row.subarray(1), y * stride);
        unfilterRow(row[0] ?? 0, data, y, stride, channels);
        filled = 0;
        y += 1;
      }
    }
  } catch (cause) {
    throw new Error("The PNG is damaged; get a whole copy of it.", { cause });
  }
  if (y < height) throw new Error("The PNG is cut off; get a whole copy of it.");
  return data;
}

/** Not every browser can walk over a stream. */
async function* blocks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
