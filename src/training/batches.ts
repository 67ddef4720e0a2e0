import { chosen, type Dataset, gathered } from "../data/dataset.js";
import { GanOnnxError, setting, type Text, text } from "../error.js";
import { pixelsOf } from "../recipes/index.js";
import { fillNormal, fillUniform, randomStream, shuffled } from "../tensors/random.js";
import { sizeOf, type Tensor, type Tensors } from "../tensors/tensor.js";
import { type Augmentation, augment } from "./augment.js";
import type { BatchInput } from "./step-graph.js";

/** Consecutive steps of an epoch with one batch size: the input of one call of the training graph. */
export interface Block {
  readonly firstStep: number;
  readonly steps: number;
  readonly batchSize: number;
}

/** The number of image batches in a step: its discriminator updates, or 1. */
function imageBatchesPerStep(inputs: readonly BatchInput[]): number {
  return inputs.find(({ role }) => role === "images")?.repeats ?? 1;
}

/**
 * The number of steps in an epoch. Every image is used once; the last batch may be smaller. (A step with several image
 * batches makes them equally large, so fewer images than the number of batches may be unused in an epoch.)
 */
export function stepsPerEpoch(inputs: readonly BatchInput[], imageCount: number, batchSize: number): number {
  const { full, last } = partition(inputs, imageCount, batchSize);
  return full + Number(last > 0);
}

function partition(inputs: readonly BatchInput[], imageCount: number, batchSize: number) {
  const batches = imageBatchesPerStep(inputs);
  const full = Math.floor(imageCount / (batchSize * batches));
  const last = Math.floor((imageCount - full * batchSize * batches) / batches);
  return { full, last };
}

/** The blocks of an epoch from a step on, each with at most `stepsPerCall` steps. */
export function blocksOfEpoch(
  inputs: readonly BatchInput[],
  { imageCount, batchSize, stepsPerCall }: { imageCount: number; batchSize: number; stepsPerCall: number },
  fromStep = 0,
): Block[] {
  const { full, last } = partition(inputs, imageCount, batchSize);
  const blocks: Block[] = [];
  for (let firstStep = fromStep; firstStep < full; firstStep += stepsPerCall) {
    blocks.push({ firstStep, steps: Math.min(stepsPerCall, full - firstStep), batchSize });
  }
  if (last > 0 && fromStep <= full) blocks.push({ firstStep: full, steps: 1, batchSize: last });
  return blocks;
}

/** The order of the images in an epoch (counted from 1). */
export function orderOfEpoch(seed: number, epoch: number, imageCount: number): Uint32Array {
  return shuffled(randomStream(seed, "order", epoch), imageCount);
}

/** What the batch inputs of an epoch depend on, in addition to the data. */
export interface EpochKeys {
  readonly seed: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** The result of {@link orderOfEpoch}. */
  readonly order: Uint32Array;
  /** The augmentations of the images. The default is none. */
  readonly augmentations?: readonly Augmentation[];
}

/**
 * The batch inputs of one block. All numbers depend only on the seed, the epoch and the step, so a run that is resumed
 * in the middle of an epoch gets the same numbers as an uninterrupted run.
 */
export function feedsOfBlock(
  inputs: readonly BatchInput[],
  dataset: Dataset,
  { seed, epoch, order, augmentations = [] }: EpochKeys,
  { firstStep, steps, batchSize }: Block,
  fullBatchSize: number,
): Tensors {
  const pixels = pixelsOf(dataset);
  const feeds = new Map<string, Tensor>();
  for (const { name, role, shape, repeats, inputShape } of inputs) {
    const perStep = repeats * batchSize;
    const extents: Record<string, number> = { steps, batch: batchSize };
    const dims = inputShape.map((dim) => (typeof dim === "string" ? extents[dim] : dim));
    if (role === "images" || role === "labels") {
      const [source, size] =
        role === "images" ? [dataset.images, pixels] : [dataset.labels ?? new Uint8Array(), 1];
      const first = firstStep * repeats * fullBatchSize;
      const shown = order.subarray(first, first + steps * perStep);
      dataset.provide?.(shown);
      const data = gathered(source, size, shown);
      if (role === "images" && augmentations.length > 0) {
        const bytes = perStep * pixels;
        for (let i = 0; i < steps; i++) {
          const stream = randomStream(seed, "augment", name, epoch, firstStep + i);
          augment(data.subarray(i * bytes, (i + 1) * bytes), dataset, augmentations, stream);
        }
      }
      feeds.set(name, { dtype: "uint8", shape: dims, data });
    } else {
      const numbers = perStep * sizeOf(shape);
      const data = new Float32Array(steps * numbers);
      const fill = role === "normal" ? fillNormal : fillUniform;
      for (let i = 0; i < steps; i++) {
        const stream = randomStream(seed, "noise", name, epoch, firstStep + i);
        fill(stream, data.subarray(i * numbers, (i + 1) * numbers));
      }
      feeds.set(name, { dtype: "float32", shape: dims, data });
    }
  }
  return feeds;
}

/** The number of classes of a data set, including named classes without images. */
export function classesIn(labels: Uint8Array, names: readonly string[] = []): number {
  return Math.max(labels.reduce((largest, label) => Math.max(largest, label), 0) + 1, names.length);
}

/**
 * Check that a data set has the labels that a design needs: one for each image, below the number of classes.
 *
 * @param where the data in the message; the default is the setting `data`.
 * @param addLabels what to do when there are none; the default is for data in files and folders.
 * @throws {@link GanOnnxError} (usage) when it does not.
 */
export function checkLabels(
  { labels, name }: Dataset,
  classes: number | undefined,
  {
    where = setting("data", name),
    addLabels = text`use IDX files with labels or one folder of images for each class, or choose another ${setting("recipe")}`,
  }: { readonly where?: Text; readonly addLabels?: Text } = {},
): void {
  if (classes === undefined) return;
  const refuse = (what: string, fix: Text) => new GanOnnxError({ what, where, fix, kind: "usage" });
  if (!labels) {
    throw refuse("has no labels, and this recipe learns the class of each picture", addLabels);
  }
  const found = classesIn(labels);
  if (found > classes) {
    throw refuse(
      `has the label ${found - 1}, beyond ${classes} classes`,
      text`use ${setting("classes", found)}`,
    );
  }
}

/** The first `count` images of the first epoch, with their labels. They repeat when there are fewer. */
export function firstOf(dataset: Dataset, seed: number, count: number): Dataset {
  const order = orderOfEpoch(seed, 1, dataset.count);
  return chosen(
    dataset,
    Uint32Array.from({ length: count }, (_, i) => order[i % dataset.count]),
  );
}
