import { expect, test } from "vitest";
import { multiplyAdds } from "../../bench/multiply-adds.js";
import type { RecipeName } from "../../src/recipes/index.js";
import { buildStepGraph } from "../../src/training/step-graph.js";
import { designed } from "../helpers/recipes.js";
import { about } from "../helpers/run.js";

/** Products of neighbours: the multiply-adds of linear layers for one sample. */
const layers = (...sizes: readonly number[]) => sizes.slice(1).map((size, i) => size * sizes[i]);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/**
 * What the two updates take for one image. D's: G forward, D forward and both its gradients on real and generated
 * images; G's: both forward, D's gradient by its input, both of G's. Inputs of a first layer need no gradient, but for
 * G's sake.
 */
function twoPlayers(g: readonly number[], d: readonly number[]): number {
  const discriminator = sum(g) + 2 * (3 * sum(d) - d[0]);
  return discriminator + sum(g) + 2 * sum(d) + (2 * sum(g) - g[0]);
}

/** Convolutions with kernels of 4x4: the positions on their smaller side, and the channels on both. */
const conv = (positions: number, channels: number, features: number) => positions * channels * features * 16;

const vae = [...layers(784, 400), ...layers(400, 20), ...layers(400, 20), ...layers(20, 400, 784)];

test.each<[RecipeName, number, number?]>([
  ["vanilla", twoPlayers(layers(100, 256, 256, 784), layers(784, 256, 256, 1))],
  [
    "dcgan",
    twoPlayers(
      [100 * 3136, conv(7 * 7, 64, 32), conv(14 * 14, 32, 1)],
      [conv(14 * 14, 1, 32), conv(7 * 7, 32, 64), 3136],
    ),
    // Transposed convolutions have a column of zeros for each image beside the 49 or 196 that are needed.
    0.01,
  ],
  ["vae", 3 * sum(vae) - vae[0]],
])("a step of %s multiplies and adds as often as its formulas do", (recipe, perImage, more = 0) => {
  const { model } = buildStepGraph(designed(recipe), about);
  const found = multiplyAdds(model.graph, { batch: 8, steps: 1 });
  expect(found).toBeGreaterThanOrEqual(8 * perImage);
  expect(found).toBeLessThanOrEqual(8 * perImage * (1 + more));
});
