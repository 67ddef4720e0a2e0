import { randomStream, shuffled } from "../tensors/random.js";
import { chosen, type DataOptions, type Dataset } from "./dataset.js";
import { isEmnist, loadEmnist } from "./emnist.node.js";
import { listFolder } from "./folder.node.js";
import { readIdxTestSet } from "./idx-folder.node.js";
import { dataSources, folderNamed, loadDataset } from "./load.node.js";
import { isMnistLike, loadMnistLikeTest } from "./mnist.node.js";

/** The fraction of images that is held out when a source has no test images: one in ten. */
const ONE_IN = 10;

/** The images of a source in two parts: for training and for measuring. */
export interface Parts {
  readonly training: Dataset;
  readonly heldOut: Dataset;
}

/**
 * Load a source with held-out images: MNIST's test set, the test set of a folder of IDX files, or a tenth of the
 * images, selected by the seed and then not used for training.
 *
 * @throws {@link GanOnnxError} as {@link loadDataset}.
 */
export async function loadParts(spec: string, options: DataOptions): Promise<Parts> {
  const training = await loadDataset(spec, options);
  if (isMnistLike(spec)) return { training, heldOut: await loadMnistLikeTest(spec, options) };
  if (isEmnist(spec)) return { training, heldOut: await loadEmnist(spec, "test", options) };
  const heldOut = Object.hasOwn(dataSources, spec)
    ? undefined
    : await readIdxTestSet(await listFolder(await folderNamed(spec, options)));
  const same =
    heldOut && (["channels", "height", "width"] as const).every((size) => heldOut[size] === training[size]);
  return same ? { training, heldOut } : parted(training, options.seed);
}

/** Hold out a tenth of the images, at least one. Both parts keep their order. */
export function parted(dataset: Dataset, seed: number): Parts {
  const order = shuffled(randomStream(seed, "held out"), dataset.count);
  const count = Math.max(1, Math.floor(dataset.count / ONE_IN));
  const part = (from: number, to?: number) => chosen(dataset, order.slice(from, to).sort());
  return { training: part(count), heldOut: part(0, count) };
}
