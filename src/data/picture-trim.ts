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

/** Bytes of a value of each type of a TIFF file (TIFF 6.0, section 2), by its number. */
const tiffSizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
/** Entries that lead to further directories, which have no pixels: previews, notes of cameras, places. */
const tiffLinks = [330, 34665, 34853, 37500, 50740, 61440];
/** An entry that no decoder knows. */
const UNKNOWN = 65535;
/** The most bits of a pixel: four samples of 32. */
const MOST_BITS = 128;

/**
 * A copy of a TIFF file that ends with its first page, without links to other directories, so that nothing else is
 * decoded. (TIFF 6.0, section 2: the byte order, the place of the first directory; there a count, entries of 12 bytes
 * (tag, type, count, value or its place), and the place of the next directory, 0 for none.)
 *
 * @throws {Error} when an entry says that it holds more than the file, or a pixel has more bits than there are: the
 * decoder would make room for it.
 */
export function tiffOfOnePage(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const isLittle = copy[0] === 0x49;
  if (copy.length < 8) return copy;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > copy.length) return copy;
  const count = view.getUint16(directory, isLittle);
  const next = directory + 2 + 12 * count;
  const seen = new Set<number>();
  let bits = 1;
  for (let at = directory + 2; at + 12 <= Math.min(next, copy.length); at += 12) {
    const [tag, type] = [view.getUint16(at, isLittle), view.getUint16(at + 2, isLittle)];
    const size = (tiffSizes[type] ?? 0) * view.getUint32(at + 4, isLittle);
    const place = size <= 4 ? at + 8 : view.getUint32(at + 8, isLittle);
    if (place + size > copy.length) throw new Error(`its entry ${tag} is larger than the file`);
    if (seen.has(tag)) throw new Error(`its entry ${tag} is there twice`);
    seen.add(tag);
    // Bits of a sample, and samples of a pixel.
    if ((tag === 258 || tag === 277) && size >= 2) bits *= view.getUint16(place, isLittle);
    if (tiffLinks.includes(tag)) view.setUint16(at, UNKNOWN, isLittle);
  }
  if (bits > MOST_BITS) throw new Error(`its pixels have ${bits} bits`);
  if (next + 4 <= copy.length) view.setUint32(next, 0);
  return copy;
}
