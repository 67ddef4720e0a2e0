import { GanOnnxError, messageOf } from "../error.js";
import type { Dataset } from "./dataset.js";
import { knownSetOf } from "./idx-names.js";

// The page uses this for dropped files: it needs no Node.

/** The array of bytes in an IDX file: row-major, `dims` from the outermost. */
export interface IdxArray {
  readonly dims: readonly number[];
  readonly values: Uint8Array;
}

/** IDX's code for `unsigned byte`, the only type that MNIST uses. */
const unsignedByte = 0x08;

/** The other types, by code. */
const otherTypes: Readonly<Record<number, string>> = {
  9: "signed byte",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

/**
 * Parse an IDX file of unsigned bytes. It may be gzipped once or twice, which is detected from its content.
 *
 * The format: two zero bytes, one byte for the type, one for the number of dimensions, each dimension as a big-endian
 * uint32, then the values (http://yann.lecun.com/exdb/mnist/).
 *
 * @param content the bytes of the file.
 * @param file the name of the file for messages.
 * @param rank the required number of dimensions: 3 for images, 1 for labels.
 * @throws {@link GanOnnxError} when the file is not exactly of this form and length.
 */
export async function parseIdx(
  content: Uint8Array<ArrayBuffer>,
  file: string,
  rank: number,
): Promise<IdxArray> {
  const bytes = await gunzipped(content, file, 4 + 4 * rank);
  const check = (holds: boolean, field: string, what: string) => {
    if (!holds) throw brokenFile(file, `${field} ${what}`);
  };
  const headerLength = 4 + 4 * rank;
  const wholeHeader = (length: number) =>
    check(bytes.length >= length, "header", `is ${bytes.length} bytes, expected ${headerLength}`);
  wholeHeader(4);
  check(
    bytes[0] === 0 && bytes[1] === 0,
    "magic number",
    `starts with ${hex(bytes[0], bytes[1])}, expected 00 00`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (bytes[2] !== unsignedByte) {
    const type = otherTypes[bytes[2]] ?? "unknown";
    throw unreadable(file, `type is ${hex(bytes[2])} (${type}), expected 08 (unsigned byte)`);
  }
  if (bytes[3] !== rank) {
    const dims = Array.from({ length: Math.min(bytes[3], 8) }, (_, axis) =>
      bytes.length >= 8 + 4 * axis ? view.getUint32(4 + 4 * axis) : "?",
    );
    const expected = rank === 3 ? "3 (count x height x width)" : `${rank}`;
    const found = `number of dimensions is ${bytes[3]} (${dims.join(" x ")}), expected ${expected}`;
    throw unreadable(file, found);
  }
  wholeHeader(headerLength);
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
 * Make a data set from an image file and, optionally, a label file. Files of EMNIST are detected by their names: their
 * images are transposed, letters are counted from 0, and classes are named.
 *
 * @throws {@link GanOnnxError} as {@link parseIdx}, or when the numbers of images and labels differ.
 */
export async function idxDataset(name: string, imageFile: IdxFile, labelFile?: IdxFile): Promise<Dataset> {
  const images = await parseIdx(imageFile.content, imageFile.path, 3);
  const [count, height, width] = images.dims;
  const { isTransposed, firstLabel, classNames } = knownSetOf(baseName(imageFile.path));
  const form: Dataset = isTransposed
    ? { name, count, channels: 1, height: width, width: height, images: transposed(images) }
    : { name, count, channels: 1, height, width, images: images.values };
  if (!labelFile) return form;
  const labels = await parseIdx(labelFile.content, labelFile.path, 1);
  if (labels.dims[0] !== count) {
    throw brokenFile(
      labelFile.path,
      `label count ${labels.dims[0]} differs from ${imageFile.path}'s image count ${count}`,
    );
  }
  const wrong = firstLabel > 0 ? labels.values.find((label) => label < firstLabel) : undefined;
  if (wrong !== undefined) throw brokenFile(labelFile.path, `label ${wrong} is below ${firstLabel}`);
  const numbers = firstLabel > 0 ? labels.values.map((label) => label - firstLabel) : labels.values;
  return { ...form, labels: numbers, ...(classNames && { classNames }) };
}

const baseName = (path: string) => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

/** Transpose images. */
function transposed({ dims: [count, height, width], values }: IdxArray): Uint8Array {
  const turned = new Uint8Array(values.length);
  for (let image = 0; image < count; image++) {
    const first = image * height * width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) turned[first + x * height + y] = values[first + y * width + x];
    }
  }
  return turned;
}

export interface IdxFile {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** The maximum number of gzip layers: some download programs compress files a second time. */
const MOST_PACKED = 2;

/** The maximum size after decompression. The largest set in use, EMNIST's letters and digits, has 638 MB. */
const MOST_BYTES = 2 ** 30;

async function gunzipped(
  content: Uint8Array<ArrayBuffer>,
  file: string,
  headerLength: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = content;
  for (let packed = 0; bytes[0] === 0x1f && bytes[1] === 0x8b; packed++) {
    if (packed === MOST_PACKED) throw brokenFile(file, `is gzipped more than ${MOST_PACKED} times`);
    try {
      const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      bytes = await readBounded(plain, headerLength, file);
    } catch (cause) {
      if (cause instanceof GanOnnxError) throw cause;
      throw brokenFile(file, `gzip data is broken (${messageOf(cause)})`, cause);
    }
  }
  return bytes;
}

/** Read a stream up to the length that the header implies: gzip compresses zeros a thousandfold. */
async function readBounded(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  headerLength: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let [length, bound] = [0, MOST_BYTES];
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    const isHeader = length < headerLength;
    chunks.push(value);
    length += value.length;
    if (isHeader && length >= headerLength) bound = boundOf(joined(chunks, length), headerLength);
    if (length <= bound) continue;
    await reader.cancel();
    throw brokenFile(file, `unpacks to more than the ${bound} bytes that it may have`);
  }
  return joined(chunks, length);
}

/**
 * The maximum length of an IDX file with this header. It allows for excess bytes, so that a file that is too long is
 * reported as such.
 */
function boundOf(bytes: Uint8Array<ArrayBuffer>, headerLength: number): number {
  if (bytes[0] !== 0 || bytes[1] !== 0) return MOST_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let size = 1;
  for (let at = 4; at < headerLength; at += 4) size *= view.getUint32(at);
  return Math.min(MOST_BYTES, headerLength + size + 65_536);
}

function joined(chunks: Uint8Array<ArrayBuffer>[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The error for a complete file with other content. */
function unreadable(where: string, what: string): GanOnnxError {
  const fix = "convert it to grey images of unsigned bytes, or save colour images as PNG files in a folder";
  return new GanOnnxError({ what, where, fix });
}

function brokenFile(where: string, what: string, cause?: unknown): GanOnnxError {
  return new GanOnnxError({ what, where, fix: "replace the file with a complete copy", cause });
}

const hex = (...bytes: number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
