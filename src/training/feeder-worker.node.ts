/** A thread that prepares batch inputs, see feeder.node.ts. */
import { parentPort, workerData } from "node:worker_threads";
import type { Dataset } from "../data/dataset.js";
import { buffersOf } from "../runtime/thread.node.js";
import type { Augmentation } from "./augment.js";
import { feedsOfBlock, orderOfEpoch } from "./batches.js";
import type { BatchInput } from "./step-graph.js";
import type { FeederCall } from "./training.js";

export interface FeederTask {
  readonly inputs: readonly BatchInput[];
  readonly dataset: Dataset;
  readonly seed: number;
  readonly batchSize: number;
  readonly augmentations?: readonly Augmentation[];
}

const { inputs, dataset, seed, batchSize, augmentations } = workerData as FeederTask;
let shuffled: { epoch: number; order: Uint32Array } = { epoch: 0, order: new Uint32Array() };

parentPort?.on("message", ({ epoch, block }: FeederCall) => {
  if (shuffled.epoch !== epoch) shuffled = { epoch, order: orderOfEpoch(seed, epoch, dataset.count) };
  const feeds = feedsOfBlock(inputs, dataset, { seed, augmentations, ...shuffled }, block, batchSize);
  parentPort?.postMessage(feeds, buffersOf(feeds));
});
