import { stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { GanOnnxError, setting } from "../error.js";
import { suggestion } from "../suggest.js";
import { isArchive, unpacked } from "./archive.node.js";
import { type DataOptions, type Dataset, digitNames, mnistForm, requireForm } from "./dataset.js";
import { drawDigits } from "./drawn.js";
import { loadEmnist } from "./emnist.node.js";
import { kindsOf, listFolder } from "./folder.node.js";
import { holdsIdxFiles, readIdxFolder } from "./idx-folder.node.js";
import { idxNameOf } from "./idx-names.js";
import { holdsPictures, readImageFolder } from "./image-folder.node.js";
import { loadMnistLike } from "./mnist.node.js";
import { isParquet, trainingParquet, unpackedParquet } from "./parquet.node.js";
import { formatNames, isPicture } from "./picture-formats.node.js";

export type { DataOptions, Dataset, Report } from "./dataset.js";

type DataSource = (options: DataOptions) => Promise<Dataset>;

/** The sources of images with a name. Any other source is a folder. */
export const dataSources = {
  mnist: (options) => loadMnistLike("mnist", options),
  "fashion-mnist": (options) => loadMnistLike("fashion-mnist", options),
  kmnist: (options) => loadMnistLike("kmnist", options),
  "emnist-letters": (options) => loadEmnist("emnist-letters", "train", options),
  "emnist-digits": (options) => loadEmnist("emnist-digits", "train", options),
  "emnist-balanced": (options) => loadEmnist("emnist-balanced", "train", options),
  drawn: loadDrawn,
} satisfies Record<string, DataSource>;

/**
 * Load the training images of a source.
 *
 * @param spec `mnist` or another name of {@link dataSources} (downloaded once), `drawn` (digits drawn by this program),
 * or a folder: of IDX files with MNIST's names, or of images (`./mnist` is a folder of that name). The folder may be
 * packed as a .zip, .tar, .tar.gz or .tgz file. A .parquet file, or a folder of them, holds images as Hugging Face's
 * data sets do.
 * @param options `channels` and `size` change the images of an image folder (default 1 and 28). The other sources have
 * a fixed form and refuse other values.
 * @throws {@link GanOnnxError} of kind usage for an unknown source or an unsupported form; otherwise when files are
 * missing, broken or cannot be downloaded.
 */
export async function loadDataset(spec: string, options: DataOptions): Promise<Dataset> {
  const source: DataSource | undefined = Object.hasOwn(dataSources, spec)
    ? dataSources[spec as keyof typeof dataSources]
    : undefined;
  return source ? source(options) : loadFolder(spec, options);
}

/**
 * The folder of a source: itself, or the folder of an unpacked archive.
 *
 * @throws {@link GanOnnxError} of kind usage when it is neither; as `unpacked` for an archive.
 */
export async function folderNamed(
  spec: string,
  options: Pick<DataOptions, "report" | "signal">,
): Promise<string> {
  const there = await stat(spec).catch(() => undefined);
  if (there?.isDirectory()) return spec;
  if (there && isArchive(spec)) {
    const isRead = (name: string) => isPicture(name) || idxNameOf(name) !== undefined;
    return unpacked(spec, isRead, options);
  }
  if (there && isParquet(spec)) return (await unpackedParquet([spec], options)).folder;
  const similar = suggestion(spec.toLowerCase(), Object.keys(dataSources));
  throw new GanOnnxError({
    what: there ? "is a file of a kind that is not read" : "is no data source and no folder",
    where: setting("data", spec),
    fix: `${similar ? `did you mean ${similar}? Or ` : ""}choose ${Object.keys(dataSources).join(", ")}, or a folder of images or IDX files, also as .zip, .tar or .parquet`,
    kind: "usage",
  });
}

async function loadFolder(spec: string, options: DataOptions): Promise<Dataset> {
  if (isParquet(spec) && (await stat(spec).catch(() => undefined))?.isFile()) {
    return readParquet(spec, [spec], options);
  }
  const folder = await folderNamed(spec, options);
  return folder === spec
    ? readFolder(folder, options)
    : namedAs(spec, folder, () => readFolder(folder, options));
}

/** Read the images of Parquet files. */
async function readParquet(spec: string, paths: readonly string[], options: DataOptions): Promise<Dataset> {
  const { folder, classNames } = await unpackedParquet(paths, options);
  const dataset = await namedAs(spec, folder, async () => readImageFolder(await listFolder(folder), options));
  return { ...dataset, ...(dataset.labels && classNames && { classNames }) };
}

/** Read a folder of the cache. What is said of it is said of the file that it comes from. */
async function namedAs(spec: string, folder: string, read: () => Promise<Dataset>): Promise<Dataset> {
  try {
    return { ...(await read()), name: spec };
  } catch (error) {
    // The error is in the archive. Name the archive instead of the folder.
    if (!(error instanceof GanOnnxError) || typeof error.parts.where !== "string") throw error;
    throw new GanOnnxError({ ...error.parts, where: error.parts.where.replace(folder, spec) });
  }
}

async function readFolder(folder: string, options: DataOptions): Promise<Dataset> {
  const content = await listFolder(folder);
  const idx = holdsIdxFiles(content);
  if (idx.here || (idx.below && !holdsPictures(content))) return readIdxFolder(content, options);
  if (holdsPictures(content)) return readImageFolder(content, options);
  const parquet = trainingParquet(content);
  if (parquet.length > 0) return readParquet(folder, parquet, options);
  const { files } = content;
  throw new GanOnnxError({
    what: files.length > 0 ? `has no images; what it has is ${kindsOf(files)}` : "has no images: it is empty",
    where: folder,
    fix: `name a folder of ${formatNames} images, or of IDX files under MNIST's names (train-images-idx3-ubyte)`,
  });
}

/** Draw as many digits as MNIST has, in slices, so that the process can handle signals in between. */
async function loadDrawn(options: DataOptions): Promise<Dataset> {
  requireForm("drawn", mnistForm, options);
  const [total, slice, pixels] = [60_000, 1_000, mnistForm.height * mnistForm.width];
  const images = new Uint8Array(total * pixels);
  const labels = new Uint8Array(total);
  for (let first = 0; first < total; first += slice) {
    options.signal?.throwIfAborted();
    const drawn = drawDigits({ count: slice, seed: options.seed, first });
    images.set(drawn.images, first * pixels);
    labels.set(drawn.labels, first);
    options.report?.("drawing digits", first + slice, total);
    await setImmediate();
  }
  return { name: "drawn", count: total, ...mnistForm, images, labels, classNames: digitNames };
}
