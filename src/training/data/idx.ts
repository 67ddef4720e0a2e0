import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GanOnnxError, messageOf } from "../../error.js";
import { readBytes } from "../../files.js";
import { type DataOptions, type Dataset, requireForm } from "./dataset.js";

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
export function parseIdx(content: Uint8Array, file: string, rank: number): IdxArray {
  const bytes = gunzipped(content, file);
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
export function idxDataset(name: string, imageFile: IdxFile, labelFile?: IdxFile): Dataset {
  const images = parseIdx(imageFile.content, imageFile.path, 3);
  const [count, height, width] = images.dims;
  const form = { name, count, channels: 1, height, width, images: images.values };
  if (!labelFile) return form;
  const labels = parseIdx(labelFile.content, labelFile.path, 1);
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
  readonly content: Uint8Array;
}

const spellings = (set: string, kind: string) =>
  ["-", "."].flatMap((dot) => ["", ".gz"].map((end) => `${set}-${kind.replace("?", dot)}-ubyte${end}`));
const imageNames = spellings("train", "images?idx3");
const labelNames = spellings("train", "labels?idx1");
const testNames = [...spellings("t10k", "images?idx3"), ...spellings("t10k", "labels?idx1")];

/** Whether a folder with these entries is meant as one of IDX files: it has at least one under an MNIST name. */
export function holdsIdxFiles(entries: readonly string[]): boolean {
  return [...imageNames, ...labelNames, ...testNames].some((name) => entries.includes(name));
}

/**
 * The training set in a folder of IDX files under MNIST's names, `train-images-idx3-ubyte` and optionally
 * `train-labels-idx1-ubyte`, each also with `.gz` or as `train-images.idx3-ubyte`. A test set beside it is left alone.
 *
 * @param entries the names of what the folder holds.
 * @throws {GanOnnxError} when the images are missing or a file is not as {@link parseIdx} wants it; of kind usage when
 *   `options` asks for another size or more channels than the files have.
 */
export async function readIdxFolder(
  folder: string,
  entries: readonly string[],
  options: DataOptions,
): Promise<Dataset> {
  const read = async (names: readonly string[]): Promise<IdxFile | undefined> => {
    const name = names.find((candidate) => entries.includes(candidate));
    if (!name) return undefined;
    const path = join(folder, name);
    return { path, content: await readBytes(path) };
  };
  options.report?.("reading IDX files");
  const images = await read(imageNames);
  if (!images) {
    throw new GanOnnxError({
      what: `has IDX files, but no training images (${imageNames[0]}, also with .gz)`,
      where: folder,
      fix: "add that file",
    });
  }
  const dataset = idxDataset(folder, images, await read(labelNames));
  requireForm(folder, dataset, options);
  options.signal?.throwIfAborted();
  return dataset;
}

function gunzipped(content: Uint8Array, file: string): Uint8Array {
  const isGzip = content[0] === 0x1f && content[1] === 0x8b;
  if (!isGzip) return content;
  try {
    return gunzipSync(content);
  } catch (cause) {
    throw brokenFile(file, `gzip data is broken (${messageOf(cause)})`, cause);
  }
}

function brokenFile(where: string, what: string, cause?: unknown): GanOnnxError {
  return new GanOnnxError({ what, where, fix: "replace the file with a complete copy", cause });
}

const hex = (...bytes: number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
