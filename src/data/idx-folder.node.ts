import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { readBytes } from "../files.node.js";
import { type DataOptions, type Dataset, requireForm } from "./dataset.js";
import { type IdxFile, idxDataset } from "./idx.js";

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
  const dataset = await idxDataset(folder, images, await read(labelNames));
  requireForm(folder, dataset, options);
  options.signal?.throwIfAborted();
  return dataset;
}
