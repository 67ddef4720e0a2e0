import { GanOnnxError, messageOf } from "../error.js";
import type { Dataset } from "./dataset.js";

// The page reads files that are dropped on it with this: nothing here needs Node.

/** An array of bytes as an IDX file holds it: row-major, `dims` from the outermost. */
export interface IdxArray {
  readonly dims: readonly number[];
  readonly values: Uint8Array;
}

/** IDX's number for `unsigned byte`, the only type that MNIST uses. */
const unsignedByte = 0x08;

/**
 * Parse an IDX file of unsigned bytes, gzipped or not (its content tells).
 *
 * The format: two zero bytes, one byte for the type, one for the number of dimensions, each dimension as a big-endian
 * uint32, then the values (http://yann.lecun.com/exdb/mnist/).
 *
 * @param content the bytes of the file.
 * @param file names the file in errors.
 * @param rank the number of dimensions it must have: 3 for images, 1 for labels.
 * @throws {GanOnnxError} naming file and field when anything is not exactly so, including a byte too few or too many.
 */
export async function parseIdx(
  content: Uint8Array<ArrayBuffer>,
  file: string,
  rank: number,
): Promise<IdxArray> {
  const bytes = await gunzipped(content, file);
  const check = (holds: boolean, field: string, what: string) => {
    if (!holds) throw brokenFile(file, `${field} ${what}`);
  };
  const headerLength = 4 + 4 * rank;
  check(bytes.length >= headerLength, "header", `is ${bytes.length} bytes, expected ${headerLength}`);
  check(
    bytes[0] === 0 && bytes[1] === 0,
    "magic number",
    `starts with ${hex(bytes[0], bytes[1])}, expected 00 00`,
  );
  check(bytes[2] === unsignedByte, "type", `is ${hex(bytes[2])}, expected 08 (unsigned byte)`);
  check(bytes[3] === rank, "number of dimensions", `is ${bytes[3]}, expected ${rank}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = dims.reduce((product, dim) => product * dim, 1);
  const values = bytes.subarray(headerLength);
  check(expected > 0, "dimensions", `are ${dims.join(" x ")}, which holds nothing`);
  check(
    values.length === expected,
    "data",
    `is ${values.length} bytes, expected ${dims.join(" x ")} = ${expected}`,
  );
  return { dims, values };
}

/**
 * A data set from the content of an image file and, where there is one, of a label file.
 *
 * @throws {GanOnnxError} as {@link parseIdx}, or when the two counts differ.
 */
export async function idxDataset(name: string, imageFile: IdxFile, labelFile?: IdxFile): Promise<Dataset> {
  const images = await parseIdx(imageFile.content, imageFile.path, 3);
  const [count, height, width] = images.dims;
  const form = { name, count, channels: 1, height, width, images: images.values };
  if (!labelFile) return form;
  const labels = await parseIdx(labelFile.content, labelFile.path, 1);
  if (labels.dims[0] !== count) {
    throw brokenFile(
      labelFile.path,
      `label count ${labels.dims[0]} differs from ${imageFile.path}'s image count ${count}`,
    );
  }
  return { ...form, labels: labels.values };
}

export interface IdxFile {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

async function gunzipped(content: Uint8Array<ArrayBuffer>, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const isGzip = content[0] === 0x1f && content[1] === 0x8b;
  if (!isGzip) return content;
  try {
    const plain = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch (cause) {
    throw brokenFile(file, `gzip data is broken (${messageOf(cause)})`, cause);
  }
}

function brokenFile(where: string, what: string, cause?: unknown): GanOnnxError {
  return new GanOnnxError({ what, where, fix: "replace the file with a complete copy", cause });
}

const hex = (...bytes: number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
