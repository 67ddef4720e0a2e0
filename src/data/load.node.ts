import { stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { GanOnnxError, setting } from "../error.js";
import { type DataOptions, type Dataset, digitNames, mnistForm, requireForm } from "./dataset.js";
import { drawDigits } from "./drawn.js";
import { kindsOf, listFolder } from "./folder.node.js";
import { holdsIdxFiles, readIdxFolder } from "./idx-folder.node.js";
import { holdsPictures, readImageFolder } from "./image-folder.node.js";
import { loadMnistLike } from "./mnist.node.js";
import { formatNames } from "./picture.node.js";

export type { Background, DataOptions, Dataset, Report } from "./dataset.js";

type DataSource = (options: DataOptions) => Promise<Dataset>;

/** The sources of images with a name. Any other source is a folder. */
export const dataSources = {
  mnist: (options) => loadMnistLike("mnist", options),
  "fashion-mnist": (options) => loadMnistLike("fashion-mnist", options),
  kmnist: (options) => loadMnistLike("kmnist", options),
  drawn: loadDrawn,
} satisfies Record<string, DataSource>;

/**
 * Load the training images of a source.
 *
 * @param spec `mnist`, `fashion-mnist` or `kmnist` (downloaded once), `drawn` (digits drawn by this program), or a
 * folder: of IDX files with MNIST's names, or of images (`./mnist` is a folder of that name).
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

async function loadFolder(folder: string, options: DataOptions): Promise<Dataset> {
  const isFolder = await stat(folder).then(
    (there) => there.isDirectory(),
    () => undefined,
  );
  if (!isFolder) {
    throw new GanOnnxError({
      what: `is neither a data source nor a readable folder ${isFolder === false ? "but a file" : "that is there"}`,
      where: setting("data", folder),
      fix: `choose ${Object.keys(dataSources).join(", ")}, or a folder of images or IDX files`,
      kind: "usage",
    });
  }
  const content = await listFolder(folder);
  const idx = holdsIdxFiles(content);
  if (idx.here || (idx.below && !holdsPictures(content))) return readIdxFolder(content, options);
  if (holdsPictures(content)) return readImageFolder(content, options);
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
