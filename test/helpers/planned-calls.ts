import type { Augmentation } from "../../src/training/augment.js";
import { blocksOfEpoch, feedsOfBlock, orderOfEpoch } from "../../src/training/batches.js";
import type { PlannedCall } from "../../src/training/training.js";
import { buildTraining } from "../../src/training/training-model.js";
import { someBytes } from "./dataset.js";
import { designed, grey } from "./recipes.js";

const image = grey(8);
const count = 22;
const images = someBytes(count * 64);
const labels = someBytes(count).map((byte) => byte % 10);
const dataset = { name: "noise", count, ...image, images, labels };
const design = designed("conditional", { width: 2, depth: 2 }, image);
const { graph } = buildTraining(design);
const seed = 5;
const position = { recipe: "conditional", seed, epoch: 0, step: 0, images: count, ...image } as const;
/** The parts of a small training that its batches depend on. */
export const training = { graph, dataset, batchSize: 4, start: { position, state: new Map() } };

/** Three epochs of four calls. */
export const calls: readonly PlannedCall[] = [1, 2, 3].flatMap((epoch) => {
  const order = orderOfEpoch(seed, epoch, count);
  const blocks = blocksOfEpoch(graph.batches, { imageCount: count, batchSize: 4, stepsPerCall: 2 });
  return blocks.map((block, i) => ({ epoch, order, block, endsEpoch: i === blocks.length - 1 }));
});
/** The batch inputs of such a call. */
export const feedsOf = ({ epoch, order, block }: PlannedCall, augmentations?: readonly Augmentation[]) =>
  feedsOfBlock(graph.batches, dataset, { seed, epoch, order, augmentations }, block, 4);
