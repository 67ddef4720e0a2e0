import { GanOnnxError } from "./error.js";

/*
 * Checksums inside safetensors and ONNX files. The checksum is a text in the file's metadata, so other programs read
 * the file as usual. It is the CRC-32 of the whole file with zeros in its own place, so it covers names, shapes and
 * settings as well as the numbers.
 */

const PREFIX = "crc32:";
const KEY = "checksum";
const ZEROS = `${PREFIX}00000000`;

/** The metadata entry that reserves the place of the checksum until {@link seal} writes it. */
export const unsealed = { [KEY]: ZEROS } as const;

/** Write the checksum of a file into its metadata, in place. The metadata must contain {@link unsealed}. */
export function seal<B extends Uint8Array>(bytes: B): B {
  const [at, ...others] = placesOf(bytes, ZEROS);
  // If the file's data contain the same text, the place is ambiguous: the file gets no checksum.
  if (at !== undefined && others.length === 0) bytes.set(ascii(textOf(crc32(bytes))), at);
  return bytes;
}

/**
 * Compare a file with the checksum in its metadata.
 *
 * @returns whether the file has a checksum. Files of other programs, and of this program before 0.2, have none.
 * @throws {@link GanOnnxError} when the file is damaged.
 */
export function checkSeal(
  bytes: Uint8Array,
  metadata: Readonly<Record<string, string>>,
  where: string,
): boolean {
  const checksum = metadata[KEY] ?? sealIn(bytes);
  if (checksum === undefined || checksum === ZEROS) return false;
  const zeros = ascii(ZEROS);
  const right = placesOf(bytes, checksum).some((at) => {
    const before = crc32(bytes.subarray(0, at));
    return textOf(crc32(bytes.subarray(at + zeros.length), crc32(zeros, before))) === checksum;
  });
  if (right) return true;
  throw new GanOnnxError({
    what: "is damaged: its content does not have the checksum in its metadata",
    where,
    fix: "restore it from a copy, or write it again",
  });
}

/** Find a checksum anywhere in the file: the metadata that name it may be damaged. */
function sealIn(bytes: Uint8Array): string | undefined {
  const texts = placesOf(bytes, PREFIX).map((at) =>
    new TextDecoder("latin1").decode(bytes.subarray(at, at + ZEROS.length)),
  );
  return texts.find((text) => /^crc32:[0-9a-f]{8}$/.test(text));
}

const ascii = (text: string) => new TextEncoder().encode(text);
const textOf = (crc: number) => PREFIX + crc.toString(16).padStart(8, "0");

/** All offsets at which a text occurs. */
function placesOf(bytes: Uint8Array, text: string): number[] {
  const pattern = ascii(text);
  const places: number[] = [];
  for (let at = bytes.indexOf(pattern[0]); at >= 0; at = bytes.indexOf(pattern[0], at + 1)) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) places.push(at);
  }
  return places;
}

/** Computes the CRC of bytes. `before` is the CRC of the preceding bytes. */
type Crc = (bytes: Uint8Array, before?: number) => number;

/**
 * A CRC of 32 bits, with eight tables of 256 entries to process eight bytes at a time: "slicing by 8" (Kounavis and
 * Berry, 2005).
 *
 * @param polynomial the polynomial with its bits reversed.
 */
function crcBy(polynomial: number): Crc {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? polynomial ^ (crc >>> 1) : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    tables[at] = (tables[at - 256] >>> 8) ^ tables[tables[at - 256] & 255];
  }
  return (bytes, before = 0) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let crc = ~before;
    let at = 0;
    for (; at + 8 <= bytes.length; at += 8) {
      const low = crc ^ view.getInt32(at, true);
      const high = view.getInt32(at + 4, true);
      crc =
        tables[1792 + (low & 255)] ^
        tables[1536 + ((low >>> 8) & 255)] ^
        tables[1280 + ((low >>> 16) & 255)] ^
        tables[1024 + (low >>> 24)] ^
        tables[768 + (high & 255)] ^
        tables[512 + ((high >>> 8) & 255)] ^
        tables[256 + ((high >>> 16) & 255)] ^
        tables[high >>> 24];
    }
    for (; at < bytes.length; at++) crc = tables[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

/**
 * CRC-32 as in zip, PNG and gzip (ISO 3309). It detects every burst error of up to 32 bits, and misses one in 2^32 of
 * other errors.
 */
export const crc32 = /* @__PURE__ */ crcBy(0xedb88320);

/** CRC-32C, as in TensorBoard's files: the polynomial of Castagnoli (RFC 3720, appendix B.4). */
export const crc32c = /* @__PURE__ */ crcBy(0x82f63b78);
