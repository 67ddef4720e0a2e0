import { expect, test } from "vitest";
import { classifierScore } from "../../src/evaluation/classifier-score.js";
import { frechetDistance, type Moments, momentsOf } from "../../src/evaluation/frechet.js";
import { fillNormal, randomStream } from "../../src/tensors/random.js";
import { onCpu } from "../helpers/on-cpu.js";

const diagonal = (mean: number[], variances: number[]): Moments => ({
  mean,
  covariance: variances.map((variance, i) => variances.map((_, j) => (i === j ? variance : 0))),
});

test("mean and covariance are those of float64", async () => {
  const [count, width] = [50, 3];
  const data = fillNormal(randomStream(1, "points"), new Float32Array(count * width)).map(
    (x, i) => 100 + x * (i % 3),
  );
  const { mean, covariance } = await momentsOf({ count, width, data }, onCpu);
  const column = (c: number) => Array.from({ length: count }, (_, i) => data[i * width + c]);
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  for (let i = 0; i < width; i++) {
    expect(mean[i]).toBeCloseTo(average(column(i)), 10);
    for (let j = 0; j < width; j++) {
      const [a, b] = [column(i), column(j)];
      const products = a.map((x, n) => (x - average(a)) * (b[n] - average(b)));
      expect(covariance[i][j]).toBeCloseTo((average(products) * count) / (count - 1), 8);
    }
  }
});

test("the distance of a distribution from itself is 0, from a moved one the square of the way", async () => {
  const a = diagonal([1, 2], [3, 4]);
  expect(await frechetDistance(a, a)).toBeCloseTo(0, 10);
  expect(await frechetDistance(a, { ...a, mean: [4, 6] })).toBeCloseTo(25, 10);
});

test("along axes it is Σ (√a - √b)², whichever comes first, and also where nothing varies", async () => {
  const [a, b] = [diagonal([0, 0, 0], [4, 9, 0]), diagonal([0, 0, 0], [1, 16, 25])];
  expect(await frechetDistance(a, b)).toBeCloseTo(1 + 1 + 25, 9);
  expect(await frechetDistance(b, a)).toBeCloseTo(1 + 1 + 25, 9);
});

test("covariances that do not commute: the closed form for two dimensions", async () => {
  const a: Moments = {
    mean: [0, 0],
    covariance: [
      [2, 1],
      [1, 3],
    ],
  };
  const b: Moments = {
    mean: [1, 0],
    covariance: [
      [5, -2],
      [-2, 1],
    ],
  };
  // tr √M = √(tr M + 2·√det M) for a 2x2 matrix M = Σ₁·Σ₂: tr M = 10 - 2 - 2 + 3 = 9, det M = 5 · 1 = 5.
  const expected = 1 + 5 + 6 - 2 * Math.sqrt(9 + 2 * Math.sqrt(5));
  expect(await frechetDistance(a, b)).toBeCloseTo(expected, 9);
});

test("the classifier score is 1 for images that all look alike, and the number of classes for all of them, sure", async () => {
  const alike = Float32Array.from({ length: 40 }, (_, i) => [0.7, 0.1, 0.1, 0.1][i % 4]);
  expect(await classifierScore(alike, 10, onCpu)).toBeCloseTo(1, 5);
  const sure = Float32Array.from({ length: 32 }, (_, i) => Number(i % 4 === Math.floor(i / 4) % 4));
  expect(await classifierScore(sure, 8, onCpu)).toBeCloseTo(4, 5);
});
