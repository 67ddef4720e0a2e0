/// <reference path="./omggif.d.ts" />
import { Buffer } from "node:buffer";
import { GifReader } from "omggif";

/** The most bits of a code at the start of a frame's data (GIF89a, appendix F). */
const MOST_BITS = 8;

/**
 * Decode the first frame of a GIF file.
 *
 * @throws {Error} when the file is damaged. A frame that is larger than the picture, and codes that are longer than the
 * format allows, are refused before: the decoder would take gigabytes, or not end.
 */
export function decodeGif(bytes: Buffer): { data: Buffer; width: number; height: number } {
  const reader = new GifReader(bytes);
  const { width, height } = reader;
  const frame = reader.frameInfo(0);
  if (frame.x + frame.width > width || frame.y + frame.height > height)
    throw new Error(`its first frame is ${frame.width}x${frame.height}, larger than the picture`);
  const bits = bytes[frame.data_offset];
  if (bits < 1 || bits > MOST_BITS) throw new Error(`its codes begin with ${bits} bits`);
  const data = Buffer.alloc(width * height * 4);
  silently(() => reader.decodeAndBlitFrameRGBA(0, data));
  return { data, width, height };
}

/** The decoder prints what it finds odd, where results are printed. */
function silently(decode: () => void): void {
  const { log } = console;
  console.log = () => {};
  try {
    decode();
  } finally {
    console.log = log;
  }
}
