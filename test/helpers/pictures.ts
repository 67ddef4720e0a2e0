import { crc32, deflateSync } from "node:zlib";
import { Jimp } from "jimp";

/** Rows of pixels as 0xRRGGBBAA. */
export type Rows = readonly (readonly number[])[];

export function pictureOf(rows: Rows) {
  const image = new Jimp({ width: rows[0].length, height: rows.length });
  rows.forEach((row, y) => {
    row.forEach((color, x) => {
      image.setPixelColor(color, x, y);
    });
  });
  return image;
}

export const pngOf = (rows: Rows) => pictureOf(rows).getBuffer("image/png");

/** Rows of one colour. */
export const flatRows = (color: number, width = 4, height = width): Rows =>
  Array.from({ length: height }, () => Array<number>(width).fill(color));

export const greyPng = (value: number) =>
  pngOf(flatRows(((value << 24) | (value << 16) | (value << 8) | 0xff) >>> 0));

/** A chunk of a PNG file. */
function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** The length of a PNG's signature (8 bytes) and its `IHDR` chunk. */
const PNG_HEAD = 33;

/** An animated PNG: the picture, and after it a second frame. */
export function apngOf(png: Buffer): Buffer {
  const { width, height } = { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
  const frame = (sequence: number) => {
    const control = Buffer.alloc(26);
    [sequence, width, height].forEach((value, i) => {
      control.writeUInt32BE(value, 4 * i);
    });
    return pngChunk("fcTL", control);
  };
  const pixels = deflateSync(Buffer.alloc(height * (4 * width + 1)));
  const second = pngChunk("fdAT", Buffer.concat([Buffer.from([0, 0, 0, 2]), pixels]));
  const end = png.subarray(png.length - 12);
  return Buffer.concat([
    png.subarray(0, PNG_HEAD),
    pngChunk("acTL", Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])),
    frame(0),
    png.subarray(PNG_HEAD, png.length - 12),
    frame(1),
    second,
    end,
  ]);
}

/** A black grey PNG of any size: few bytes for many pixels. */
export function pngBomb(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const rows = deflateSync(Buffer.alloc(height * (Math.ceil(width / 8) + 1)), { level: 9 });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [pngChunk("IHDR", head), pngChunk("IDAT", rows), pngChunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

/** The beginning of a JPEG file with a given size. No decoder should reach the missing rest. */
export function jpegHead(width: number, height: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16BE(height, 0);
  size.writeUInt16BE(width, 2);
  const frame = [0xff, 0xc0, 0x00, 0x0b, 0x08, ...size, 0x01, 0x01, 0x11, 0x00];
  return Buffer.from([0xff, 0xd8, 0xff, 0xdb, 0x00, 0x43, 0x00, ...Array(64).fill(1), ...frame, 0xff, 0xd9]);
}
