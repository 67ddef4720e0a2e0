/// <reference path="./omggif.d.ts" />
import { Buffer } from "node:buffer";
import { GifReader } from "omggif";

/** The most bits of a code at the start of a frame's data, and of any code (GIF89a, appendix F). */
const MOST_BITS = 8;
const MOST_CODE_BITS = 12;

/**
 * Decode the first frame of a GIF file.
 *
 * @throws {Error} when the file is damaged. What would make the decoder take gigabytes, or never end, is refused before:
 * a frame that is larger than the picture, and codes that the format does not allow.
 */
export function decodeGif(bytes: Buffer): { data: Buffer; width: number; height: number } {
  const reader = new GifReader(bytes);
  const { width, height } = reader;
  const frame = reader.frameInfo(0);
  if (frame.x + frame.width > width || frame.y + frame.height > height)
    throw new Error(`its first frame is ${frame.width}x${frame.height}, larger than the picture`);
  checkCodes(bytes, frame.data_offset);
  const data = Buffer.alloc(width * height * 4);
  silently(() => reader.decodeAndBlitFrameRGBA(0, data));
  return { data, width, height };
}

/**
 * Check that each code of a frame is known where it stands: a code that comes too early names itself as its own
 * beginning, which the decoder follows forever. (GIF89a, appendix F: blocks of up to 255 bytes with codes, the lowest
 * bit first; each code but the first after a clear code adds one to the table.)
 */
function checkCodes(bytes: Buffer, start: number): void {
  const firstBits = bytes[start];
  if (firstBits < 1 || firstBits > MOST_BITS) throw new Error(`its codes begin with ${firstBits} bits`);
  const clear = 2 ** firstBits;
  let [next, bits, isFirst] = [clear + 2, firstBits + 1, true];
  let [waiting, count] = [0, 0];
  for (const byte of bytesOfBlocks(bytes, start + 1)) {
    waiting |= byte << count;
    count += 8;
    while (count >= bits) {
      const code = waiting & (2 ** bits - 1);
      waiting >>>= bits;
      count -= bits;
      if (code === clear + 1) return;
      if (code === clear) {
        [next, bits, isFirst] = [clear + 2, firstBits + 1, true];
        continue;
      }
      if (isFirst ? code > clear : code > next) throw new Error(`its code ${code} is not in its table`);
      if (!isFirst && next < 2 ** MOST_CODE_BITS) {
        next++;
        if (next >= 2 ** bits && bits < MOST_CODE_BITS) bits++;
      }
      isFirst = false;
    }
  }
}

/** The bytes of blocks that follow each other: each begins with its length, the last is empty. They are all there. */
function* bytesOfBlocks(bytes: Buffer, start: number): Generator<number, void> {
  for (let at = start; bytes[at] > 0; at += 1 + bytes[at]) yield* bytes.subarray(at + 1, at + 1 + bytes[at]);
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
