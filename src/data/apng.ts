import { crc32 } from "../checksum.js";

/** One picture of an animation as a PNG, with its duration in milliseconds. All pictures must have the same size. */
export interface Frame {
  readonly png: Uint8Array;
  readonly milliseconds: number;
}

/**
 * Combine PNGs of equal size to an animated PNG that repeats forever
 * (https://www.w3.org/TR/png-3/#apng-frame-based-animation).
 *
 * @throws Error when there is no frame, or a frame is not a PNG.
 */
export function animatedPng(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  if (frames.length === 0) throw new Error("an animation needs a picture");
  const parts: Uint8Array[] = [Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])];
  let sequence = 0;
  for (const [i, { png, milliseconds }] of frames.entries()) {
    const chunks = chunksOf(png);
    const header = chunks.find(({ type }) => type === "IHDR");
    if (!header) throw new Error("it is no PNG");
    const size = new DataView(header.data.buffer, header.data.byteOffset);
    if (i === 0) {
      parts.push(chunk("IHDR", header.data));
      parts.push(chunk("acTL", words(frames.length, 0)));
    }
    const control = new Uint8Array(26);
    const view = new DataView(control.buffer);
    const fields = [sequence++, size.getUint32(0), size.getUint32(4), 0, 0];
    for (const [k, value] of fields.entries()) view.setUint32(4 * k, value);
    view.setUint16(20, milliseconds);
    view.setUint16(22, 1000);
    parts.push(chunk("fcTL", control));
    for (const { type, data } of chunks) {
      if (type !== "IDAT") continue;
      if (i === 0) parts.push(chunk("IDAT", data));
      else {
        const numbered = new Uint8Array(4 + data.length);
        numbered.set(words(sequence++));
        numbered.set(data, 4);
        parts.push(chunk("fdAT", numbered));
      }
    }
  }
  parts.push(chunk("IEND", new Uint8Array()));
  return joined(parts);
}

function chunksOf(png: Uint8Array): { type: string; data: Uint8Array }[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: { type: string; data: Uint8Array }[] = [];
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    chunks.push({ type, data: png.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = joined([Uint8Array.from(type, (letter) => letter.charCodeAt(0)), data]);
  return joined([words(data.length), body, words(crc32(body))]);
}

/** Encode 32-bit big-endian numbers. */
function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [i, value] of values.entries()) new DataView(bytes.buffer).setUint32(4 * i, value);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
