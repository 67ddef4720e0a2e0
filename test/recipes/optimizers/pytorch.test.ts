import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  type OptimizationSettings,
  optimization,
  optimizationSettings,
} from "../../../src/recipes/optimizers/index.js";
import { optimized } from "../../helpers/optimized.js";

/** What pytorch.py beside this file has recorded. */
const record = z
  .object({
    learningRate: z.number(),
    start: z.array(z.array(z.number())),
    gradients: z.array(z.array(z.array(z.number()))),
    cases: z.array(
      z.object({ settings: z.record(z.string(), z.unknown()), path: z.array(z.array(z.array(z.number()))) }),
    ),
  })
  .parse(JSON.parse(await readFile(new URL("pytorch.json", import.meta.url), "utf8")));
const { start, gradients, learningRate } = record;
const schema = z.strictObject(optimizationSettings({ learningRate, beta1: 0.9, beta2: 0.999 }));
const settingsOf = (given: object): OptimizationSettings => schema.parse(given);

test.each(record.cases.map(({ settings, path }) => [JSON.stringify(settings), settings, path] as const))(
  "%s: as PyTorch has it, step by step",
  async (_, settings, expected) => {
    const path = await optimized(optimization(settingsOf(settings)), start, gradients);
    for (const [step, pieces] of expected.entries()) {
      for (const [i, piece] of pieces.entries()) {
        // Parameters are about 1, updates about 0.05: a wrong term would show in the third digit.
        piece.forEach((value, j) => {
          expect(Math.abs(path[step][i][j] - value), `step ${step}, piece ${i}`).toBeLessThan(2e-6);
        });
      }
    }
  },
);

test("no two of the recorded cases are alike", () => {
  const ends = record.cases.map(({ path }) => JSON.stringify(path.at(-1)));
  // Gradients below the limit are not clipped.
  const unclipped = record.cases.filter(({ settings }) => settings.clipNorm === 100);
  expect(unclipped).toHaveLength(1);
  expect(new Set(ends).size).toBe(ends.length - 1);
});

test("without settings of its own it is Adam at a constant rate, which ORT's training API knows", () => {
  const { optimizer, schedule } = optimization(settingsOf({}));
  expect([optimizer.name, schedule]).toEqual(["adam", undefined]);
  expect(optimizer.adam).toEqual({ learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
  expect(optimization(settingsOf({ schedule: "constant", warmupSteps: 0 })).schedule).toBeUndefined();
  for (const other of [{ optimizer: "sgd" }, { optimizer: "adamw" }, { weightDecay: 0.1 }, { clipNorm: 1 }])
    expect(optimization(settingsOf(other)).optimizer.adam).toBeUndefined();
});

test.each([
  [
    { momentum: 0.9 },
    /momentum: the optimizer adam has no such setting; leave it out, or use rmsprop or sgd$/,
  ],
  [{ optimizer: "rmsprop", nesterov: true }, /nesterov: the optimizer rmsprop has no such setting/],
  [{ optimizer: "sgd", alpha: 0.9 }, /alpha: the optimizer sgd has no such setting/],
  [{ optimizer: "sgd", nesterov: true }, /nesterov: there is no momentum/],
])("%j is refused", (settings, message) => {
  expect(() => optimization(settingsOf(settings))).toThrow(message);
});
