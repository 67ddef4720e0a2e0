import { describe, expect, test } from "vitest";
import type { Dataset } from "../../src/data/load.node.js";
import { tensorIn } from "../../src/tensors/tensor.js";
import {
  type Block,
  blocksOfEpoch,
  feedsOfBlock,
  orderOfEpoch,
  stepsPerEpoch,
} from "../../src/training/batches.js";
import type { BatchInput } from "../../src/training/step-graph.js";
import { training } from "../helpers/planned-calls.js";

/** Images of one pixel, whose value is the number of the image. */
const dataset = (count: number): Dataset => ({
  name: "numbered",
  count,
  channels: 1,
  height: 1,
  width: 1,
  images: Uint8Array.from({ length: count }, (_, i) => i),
});

const inputsOf = (repeats: number): BatchInput[] => {
  const axes = ["steps", ...(repeats > 1 ? [repeats] : []), "batch"];
  const common = { repeats, dtype: "float32" as const };
  return [
    { ...common, name: "x", role: "images", dtype: "uint8", shape: [1], inputShape: [...axes, 1] },
    { ...common, name: "z", role: "normal", shape: [3], inputShape: [...axes, 3] },
    { ...common, name: "eps", role: "uniform", shape: [1], inputShape: [...axes, 1] },
  ];
};

interface Epoch {
  count: number;
  batchSize: number;
  stepsPerCall?: number;
  repeats?: number;
  fromStep?: number;
  seed?: number;
  epoch?: number;
}

/** What the blocks of an epoch are fed. */
function feedsOf({
  count,
  batchSize,
  stepsPerCall = 64,
  repeats = 1,
  fromStep = 0,
  seed = 5,
  epoch = 1,
}: Epoch) {
  const inputs = inputsOf(repeats);
  const order = orderOfEpoch(seed, epoch, count);
  const blocks = blocksOfEpoch(inputs, { imageCount: count, batchSize, stepsPerCall }, fromStep);
  const feeds = blocks.map((block: Block) =>
    feedsOfBlock(inputs, dataset(count), { seed, epoch, order }, block, batchSize),
  );
  const joined = (name: string) => feeds.flatMap((feed) => Array.from(tensorIn(feed, name).data, Number));
  const shapes = (name: string) => feeds.map((feed) => tensorIn(feed, name).shape);
  return { blocks, x: joined("x"), z: joined("z"), eps: joined("eps"), shapes };
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("an epoch", () => {
  test("shows every image once, the rest in a smaller last batch", () => {
    const { x, shapes, blocks } = feedsOf({ count: 23, batchSize: 4, stepsPerCall: 2 });
    expect(sorted(x)).toEqual(upTo(23));
    expect(x).not.toEqual(upTo(23));
    expect(blocks).toEqual([
      { firstStep: 0, steps: 2, batchSize: 4 },
      { firstStep: 2, steps: 2, batchSize: 4 },
      { firstStep: 4, steps: 1, batchSize: 4 },
      { firstStep: 5, steps: 1, batchSize: 3 },
    ]);
    expect(shapes("x")).toEqual([
      [2, 4, 1],
      [2, 4, 1],
      [1, 4, 1],
      [1, 3, 1],
    ]);
    expect(shapes("z")).toEqual([
      [2, 4, 3],
      [2, 4, 3],
      [1, 4, 3],
      [1, 3, 3],
    ]);
    expect(stepsPerEpoch(inputsOf(1), 23, 4)).toBe(6);
  });

  test.each([
    [24, 4, 6],
    [3, 4, 1],
    [1, 1, 1],
    [60_000, 128, 469],
  ])("of %i images in batches of %i has %i steps", (count, batchSize, steps) => {
    expect(stepsPerEpoch(inputsOf(1), count, batchSize)).toBe(steps);
    const blocks = blocksOfEpoch(inputsOf(1), { imageCount: count, batchSize, stepsPerCall: 64 });
    expect(blocks.reduce((sum, block) => sum + block.steps, 0)).toBe(steps);
    expect(blocks.reduce((sum, block) => sum + block.steps * block.batchSize, 0)).toBe(count);
  });

  test("of a phase that repeats has an axis for it, and leaves out fewer images than there are repetitions", () => {
    const { x, z, shapes } = feedsOf({ count: 23, batchSize: 3, repeats: 2 });
    expect(shapes("x")).toEqual([
      [3, 2, 3, 1],
      [1, 2, 2, 1],
    ]);
    expect(shapes("z")).toEqual([
      [3, 2, 3, 3],
      [1, 2, 2, 3],
    ]);
    expect(new Set(x).size).toBe(22);
    expect(new Set(z).size).toBe(22 * 3);
    expect(stepsPerEpoch(inputsOf(2), 23, 3)).toBe(4);
  });

  test("has an order and noise of its own, and another seed has others", () => {
    const first = feedsOf({ count: 23, batchSize: 4 });
    for (const other of [{ epoch: 2 }, { seed: 6 }]) {
      const { x, z, eps } = feedsOf({ count: 23, batchSize: 4, ...other });
      expect(x).not.toEqual(first.x);
      expect(z.filter((value) => first.z.includes(value))).toEqual([]);
      expect(eps.filter((value) => first.eps.includes(value))).toEqual([]);
    }
  });

  test("has normal and uniform noise where they are asked for", () => {
    const { z, eps } = feedsOf({ count: 200, batchSize: 7 });
    expect(Math.min(...z)).toBeLessThan(-1.5);
    expect(Math.max(...z)).toBeGreaterThan(1.5);
    expect(Math.min(...eps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...eps)).toBeLessThan(1);
    expect(Math.max(...eps)).toBeGreaterThan(0.9);
  });
});

describe("feeds do not depend on", () => {
  const whole = feedsOf({ count: 23, batchSize: 4 });

  test.each([1, 2, 3, 100])("how many steps a run takes (%i)", (stepsPerCall) => {
    const { x, z, eps } = feedsOf({ count: 23, batchSize: 4, stepsPerCall });
    expect({ x, z, eps }).toEqual({ x: whole.x, z: whole.z, eps: whole.eps });
  });

  test.each([1, 3, 4, 5])("an interruption after step %i", (fromStep) => {
    const { x, z, eps } = feedsOf({ count: 23, batchSize: 4, stepsPerCall: 2, fromStep });
    const images = 4 * fromStep;
    expect(x).toEqual(whole.x.slice(images));
    expect(z).toEqual(whole.z.slice(3 * images));
    expect(eps).toEqual(whole.eps.slice(images));
  });

  test("an interruption after the last step: nothing is left", () => {
    expect(feedsOf({ count: 23, batchSize: 4, fromStep: 6 }).blocks).toEqual([]);
    expect(feedsOf({ count: 24, batchSize: 4, fromStep: 6 }).blocks).toEqual([]);
  });
});

describe("augmented images follow from seed, epoch and step alone", () => {
  const { graph, dataset } = training;
  const { batches } = graph;
  const imagesOf = (epoch: number, stepsPerCall: number, fromStep = 0, seed = 5) => {
    const order = orderOfEpoch(seed, epoch, dataset.count);
    const keys = { seed, epoch, order, augmentations: ["flip", "shift"] as const };
    const blocks = blocksOfEpoch(
      batches,
      { imageCount: dataset.count, batchSize: 4, stepsPerCall },
      fromStep,
    );
    const { name } = batches.find(({ role }) => role === "images")!;
    return blocks.flatMap((block) => [
      ...tensorIn(feedsOfBlock(batches, dataset, keys, block, 4), name).data,
    ]);
  };
  const whole = imagesOf(1, 64);

  test("not from how many steps a run takes, nor from where it resumes", () => {
    expect(imagesOf(1, 2)).toEqual(whole);
    expect(imagesOf(1, 3, 2)).toEqual(whole.slice(2 * 4 * 64));
  });

  test("and another epoch or seed has others", () => {
    expect(imagesOf(2, 64)).not.toEqual(whole);
    expect(imagesOf(1, 64, 0, 6)).not.toEqual(whole);
  });
});
