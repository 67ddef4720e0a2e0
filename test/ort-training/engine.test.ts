import { describe, expect, test } from "vitest";
import { tolerances } from "../../src/evaluation/trajectory.node.js";
import { decodeOrtCheckpoint, encodeOrtCheckpoint } from "../../src/ort-training/checkpoint.js";
import { OrtTraining } from "../../src/ort-training/engine.js";
import { ortCheckpointOf, stateOfOrt } from "../../src/ort-training/state.js";
import type { Design, RecipeName } from "../../src/recipes/index.js";
import { type Tensor, type Tensors, tensorIn, zeros } from "../../src/tensors/tensor.js";
import { parametersState } from "../../src/training/names.js";
import { initialState } from "../../src/training/state.js";
import { artifactsOf, distances, farthest, ortMissing } from "../helpers/ort-training.js";
import { designed, grey, randomFeeds, trained } from "../helpers/recipes.js";

const image = grey(6);
const small = { latent: 5, width: 16 };

/** Train in ORT's own training runtime. */
async function trainedByOrt(design: Design, feeds: Tensors, start: Tensors) {
  const engine = await OrtTraining.open(design, start);
  try {
    return { metrics: await engine.consume(feeds), state: await engine.getState() };
  } finally {
    await engine.close();
  }
}

function compare(design: Design, ort: { metrics: Tensors; state: Tensors }, ours: typeof ort): void {
  expect([...ort.metrics.keys()].sort()).toEqual([...ours.metrics.keys()].sort());
  for (const [name, { shape, data }] of ort.metrics) {
    expect(shape, name).toEqual(tensorIn(ours.metrics, name).shape);
    const relative = Array.from(data as Float32Array, (value, i) => {
      const exact = Number(tensorIn(ours.metrics, name).data[i]);
      return Math.abs(value - exact) / Math.max(1e-2, Math.abs(exact));
    });
    // The same formulas in the same precision: at first nothing but the order of sums differs.
    expect(Math.max(...relative.slice(0, 3)), name).toBeLessThan(1e-5);
    expect(Math.max(...relative), name).toBeLessThan(tolerances.metrics);
  }
  for (const network of Object.keys(design.networks)) {
    const key = parametersState(network);
    const apart = distances(tensorIn(ort.state, key).data, tensorIn(ours.state, key).data);
    expect(apart[Math.ceil(apart.length * 0.999) - 1], key).toBeLessThan(tolerances.mostParameters);
    expect(apart.at(-1), key).toBeLessThan(tolerances.allParameters);
  }
}

describe.skipIf(ortMissing)(`ORT's training runtime${ortMissing ? ` (skipped: ${ortMissing})` : ""}`, () => {
  test.each<[recipe: RecipeName, settings: object]>([
    ["vanilla", {}],
    ["vanilla", { loss: "lsgan", labelSmoothing: 0.1, instanceNoise: 0.2 }],
    ["vanilla", { loss: "hinge", depth: 1 }],
    ["vanilla", { loss: "saturating" }],
    ["wgan-gp", { critics: 3 }],
    ["vae", {}],
  ])("makes the same 60 steps of %s %j as the default runtime", async (recipe, settings) => {
    const design = designed(recipe, { ...small, ...settings }, image);
    const start = initialState(design, 2);
    const feeds = randomFeeds(design, image, 60, 32);
    compare(design, await trainedByOrt(design, feeds, start), await trained(design, feeds, start));
  });

  test("has the same Adam, whatever its settings: epsilon beside the corrected root, decays, rate", async () => {
    const settings = { ...small, learningRate: 0.01, beta1: 0.3, beta2: 0.8, epsilon: 0.05 };
    const design = designed("vanilla", settings, image);
    const start = initialState(design, 2);
    const feeds = randomFeeds(design, image, 12, 16);
    const [ort, ours] = [await trainedByOrt(design, feeds, start), await trained(design, feeds, start)];
    for (const network of ["generator", "discriminator"]) {
      const key = parametersState(network);
      expect(farthest(tensorIn(ours.state, key).data, tensorIn(start, key).data)).toBeGreaterThan(1e-2);
      expect(farthest(tensorIn(ort.state, key).data, tensorIn(ours.state, key).data)).toBeLessThan(1e-5);
    }
  });

  test("goes on from a checkpoint with its moments and its count of steps", async () => {
    const design = designed("vanilla", { ...small, learningRate: 3e-3 }, image);
    const before = randomFeeds(design, image, 20, 16);
    const { state } = await trained(design, before, initialState(design, 2));
    const feeds = randomFeeds(design, image, 3, 16);
    const ours = await trained(design, feeds, state);

    const checkpoints = new Map(
      Object.keys(design.networks).map((network) => {
        const bytes = encodeOrtCheckpoint(
          ortCheckpointOf(design, artifactsOf(design, network).artifacts, state),
        );
        return [network, { checkpoint: decodeOrtCheckpoint(bytes, network), where: network }] as const;
      }),
    );
    const ort = await trainedByOrt(design, feeds, stateOfOrt(design, checkpoints));
    const forgetful = Array.from(state, ([name, tensor]): [string, Tensor] => {
      return [name, name.endsWith("/parameters") ? tensor : zeros("float32", tensor.shape)];
    });
    const anew = await trainedByOrt(design, feeds, new Map(forgetful));
    for (const network of ["generator", "discriminator"]) {
      const key = parametersState(network);
      expect(farthest(tensorIn(ort.state, key).data, tensorIn(ours.state, key).data)).toBeLessThan(1e-6);
      expect(farthest(tensorIn(anew.state, key).data, tensorIn(ours.state, key).data)).toBeGreaterThan(1e-3);
    }
  });
});
