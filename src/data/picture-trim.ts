/**
 * Cut a PNG file after its `IEND` chunk: some programs append bytes that the decoder refuses.
 * (https://www.w3.org/TR/png-3/#5Chunk-layout: length, type, data, CRC.)
 */
export function pngUntilEnd<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = 0x49454e44; // "IEND"
  for (let at = 8; at + 12 <= bytes.length; ) {
    const after = at + 12 + view.getUint32(at);
    if (view.getUint32(at + 4) === end) return bytes.subarray(0, after) as Bytes;
    at = after;
  }
  return bytes;
}

/**
 * A copy of a TIFF file that ends after its first page, so that no other page is decoded. (TIFF 6.0, section 2: the
 * byte order and the offset of the first directory; there a count, entries of 12 bytes, and the offset of the next
 * directory, or 0.)
 */
export function tiffOfOnePage(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const isLittle = copy[0] === 0x49;
  if (copy.length < 8) return copy;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > copy.length) return copy;
  const next = directory + 2 + 12 * view.getUint16(directory, isLittle);
  if (next + 4 <= copy.length) view.setUint32(next, 0);
  return copy;
}
