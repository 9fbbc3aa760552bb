import { inflateSync, crc32 as zlibCrc } from "node:zlib";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/pictures/crc";
import { decodePng, encodePng, type Pixels } from "../../src/pictures/png";

/** An encoder and a decoder of our own would agree on the same mistake; this one is another's. */
function readByTheBook(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset);
  const packed: Uint8Array[] = [];
  const types: string[] = [];
  for (let at = 8; at < file.length; at += view.getUint32(at) + 12) {
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const data = file.subarray(at + 8, at + 8 + view.getUint32(at));
    types.push(type);
    if (type === "IDAT") packed.push(data);
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const channels = { 0: 1, 2: 3, 6: 4 }[file[25] ?? -1] ?? 0;
  const raw = inflateSync(Buffer.concat(packed));
  const stride = width * channels;
  const out: number[][] = [];
  for (let y = 0; y < height; y++) {
    expect(raw[y * (stride + 1)]).toBe(4);
    const row: number[] = [];
    for (let x = 0; x < stride; x++) {
      const [a, b, c] = [
        row[x - channels] ?? 0,
        out[y - 1]?.[x] ?? 0,
        out[y - 1]?.[x - channels] ?? 0,
      ];
      const p = a + b - c;
      const nearest = [a, b, c].reduce((best, one) =>
        Math.abs(p - one) < Math.abs(p - best) ? one : best,
      );
      row.push(((raw[y * (stride + 1) + 1 + x] ?? 0) + nearest) % 256);
    }
    out.push(row);
  }
  return { width, height, channels, data: out.flat(), types };
}

function noise(width: number, height: number, channels: Pixels["channels"]): Pixels {
  let state = 7;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state >> 16;
  });
  return { width, height, channels, data, colour: [] };
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

// Written by Pillow: 3 × 2, RGBA, with colours beneath transparent pixels, and a grey of 4 × 3.
const PILLOW_RGBA =
  "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAIklEQVR4nGM4kWLEwMjE/J+Tg72BhYGRkeHf3z9MjIyM/wFShAb9HIdwEwAAAABJRU5ErkJggg==";
const PILLOW_GREY =
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAAAAACRn/EaAAAAF0lEQVR4nGNkEBERYQwQERFhCRAREQEACTgBW2nziVsAAAAASUVORK5CYII=";
const fromBase64 = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

describe("a PNG", () => {
  it.each([1, 3, 4] as const)("of %i channels is what another decoder reads", async (channels) => {
    const pixels = noise(37, 23, channels);
    const read = readByTheBook(await bytesOf(await encodePng(pixels)));
    expect(read).toMatchObject({ width: 37, height: 23, channels, data: [...pixels.data] });
    expect(new Set(read.types)).toEqual(new Set(["IHDR", "IDAT", "IEND"]));
  });

  it("larger than a block comes back as it was", async () => {
    const pixels = noise(700, 600, 4);
    const read = await decodePng(await bytesOf(await encodePng(pixels)));
    // Matchers take seconds to compare so many numbers.
    expect(Buffer.compare(read.data, pixels.data)).toBe(0);
  });

  it("that Pillow wrote is read, with the colours beneath transparent pixels", async () => {
    const read = await decodePng(fromBase64(PILLOW_RGBA));
    expect([read.width, read.height, read.channels]).toEqual([3, 2, 4]);
    expect([...read.data.subarray(0, 8)]).toEqual([200, 100, 50, 0, 1, 2, 3, 255]);
    const grey = await decodePng(fromBase64(PILLOW_GREY));
    expect([...grey.data]).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220]);
  });

  it("hands on how its colours are meant", async () => {
    const gamma = { type: "gAMA", data: Uint8Array.from([0, 0, 177, 143]) };
    const file = await bytesOf(await encodePng({ ...noise(2, 2, 3), colour: [gamma] }));
    const [kept] = (await decodePng(file)).colour;
    expect([kept?.type, ...(kept?.data ?? [])]).toEqual(["gAMA", 0, 0, 177, 143]);
  });

  it("that is none, is cut off, or is damaged, is refused with a sentence", async () => {
    const file = await bytesOf(await encodePng(noise(8, 8, 3)));
    await expect(decodePng(Uint8Array.from([1, 2, 3]))).rejects.toThrow("no PNG");
    await expect(decodePng(file.subarray(0, 100))).rejects.toThrow("cut off");
    const harmed = file.slice();
    harmed[60] = (harmed[60] ?? 0) ^ 255;
    await expect(decodePng(harmed)).rejects.toThrow("damaged");
  });

  it("too large is refused before a byte is unpacked", async () => {
    const file = await bytesOf(await encodePng(noise(2, 2, 1)));
    const view = new DataView(file.buffer);
    view.setUint32(16, 20_000);
    view.setUint32(20, 20_000);
    view.setUint32(29, crc32(file.subarray(12, 29)));
    await expect(decodePng(file)).rejects.toThrow("20000 × 20000, more than the limit of 100");
  });
});

it.runIf(zlibCrc)("the check sum is zlib's", () => {
  expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
  expect(crc32(noise(9, 9, 3).data)).toBe(zlibCrc(noise(9, 9, 3).data));
});
