import { expect, test } from "vitest";
import {
  batchNorm,
  batchNormTraining,
  groupNorm,
  input,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  lpNormalize,
  rmsNorm,
  type Value,
} from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const x = input("x", "float32", ["batch", 4, 2]);
const numbers = [1, 5, -2, 3, 0, 4, 7, -1, 2, 2, 6, -3, 1, 0, 3, 8];
const given = (name: string, count: number) => input(name, "float32", [count]);
const feeds: Record<string, number[]> = {
  x: numbers,
  scale: [1, 2, 3, 4],
  bias: [0, 1, -1, 2],
  pair: [2, 3],
};

async function close(y: Value, wanted: readonly number[], more = {}) {
  const found = Array.from((await evaluate({ y }, { ...feeds, ...more })).y.data, Number);
  expect(found.length).toBe(wanted.length);
  wanted.forEach((number, i) => {
    expect(found[i], `element ${i}`).toBeCloseTo(number, 4);
  });
}

const mean = (all: readonly number[]) => all.reduce((sum, n) => sum + n, 0) / all.length;
const variance = (all: readonly number[]) => mean(all.map((n) => (n - mean(all)) ** 2));

/** Each number normalised among those with the same key. */
function normalized(key: (i: number) => number, epsilon = 1e-5): number[] {
  return numbers.map((n, i) => {
    const peers = numbers.filter((_, j) => key(j) === key(i));
    return (n - mean(peers)) / Math.sqrt(variance(peers) + epsilon);
  });
}

const image = (i: number) => Math.floor(i / 8);
const channel = (i: number) => Math.floor(i / 2) % 4;

test("what is normalised together", async () => {
  const [scale, bias] = [given("scale", 4), given("bias", 4)];
  const affine = (n: number, i: number) => n * feeds.scale[channel(i)] + feeds.bias[channel(i)];
  await close(layerNorm(x, 1), normalized(image));
  await close(
    layerNorm(x, -1, { epsilon: 0.5 }),
    normalized((i) => Math.floor(i / 2), 0.5),
  );
  await close(instanceNorm(x, { scale, bias }), normalized((i) => Math.floor(i / 2)).map(affine));
  await close(groupNorm(x, 2, { scale, bias }), normalized((i) => Math.floor(i / 4)).map(affine));
  await close(
    groupNorm(x, 2, { scale: given("pair", 2) }),
    normalized((i) => Math.floor(i / 4)).map((n, i) => n * feeds.pair[Math.floor(channel(i) / 2)]),
  );
  expect(() => groupNorm(x, 3)).toThrow(
    "GroupNormalization: 3 groups do not divide the channels: [batch, 4, 2]",
  );
  const power = numbers.map((_, i) => mean(numbers.slice(8 * image(i), 8 * image(i) + 8).map((n) => n * n)));
  await close(
    rmsNorm(x, 1),
    numbers.map((n, i) => n / Math.sqrt(power[i] + 1e-5)),
  );
});

test("batch normalization by given statistics, and in training", async () => {
  const [scale, bias] = [given("scale", 4), given("bias", 4)];
  const running = { mean: given("mean", 4), variance: given("variance", 4) };
  const statistics = { mean: [1, 0, 2, -1], variance: [1, 4, 9, 16] };
  const wanted = numbers.map((n, i) => {
    const c = channel(i);
    return (
      ((n - statistics.mean[c]) / Math.sqrt(statistics.variance[c] + 1e-5)) * feeds.scale[c] + feeds.bias[c]
    );
  });
  await close(batchNorm(x, running, { scale, bias }), wanted, statistics);
  const plain = numbers.map(
    (n, i) => (n - statistics.mean[channel(i)]) / Math.sqrt(statistics.variance[channel(i)] + 1e-5),
  );
  await close(batchNorm(x, running), plain, statistics);

  const trained = batchNormTraining(x, running, { scale, bias, momentum: 0.75 });
  await close(
    trained.y,
    normalized(channel).map((n, i) => n * feeds.scale[channel(i)] + feeds.bias[channel(i)]),
    statistics,
  );
  const channels = [0, 1, 2, 3].map((c) => numbers.filter((_, i) => channel(i) === c));
  await close(
    trained.running.mean,
    channels.map((all, c) => 0.75 * statistics.mean[c] + 0.25 * mean(all)),
    statistics,
  );
  await close(
    trained.running.variance,
    channels.map((all, c) => 0.75 * statistics.variance[c] + 0.25 * variance(all)),
    statistics,
  );
  await close(
    batchNormTraining(x, running, { unbiased: true }).running.variance,
    channels.map((all, c) => 0.9 * statistics.variance[c] + (0.1 * variance(all) * 4) / 3),
    statistics,
  );
});

test("by norms, and among neighbouring channels", async () => {
  const rows = (p: number) =>
    numbers.map((_, i) => (Math.abs(numbers[i]) ** p + Math.abs(numbers[i ^ 1]) ** p) ** (1 / p));
  await close(
    lpNormalize(x),
    numbers.map((n, i) => n / rows(2)[i]),
  );
  await close(
    lpNormalize(x, -1, 1),
    numbers.map((n, i) => n / rows(1)[i]),
  );
  await close(lpNormalize(x), Array(16).fill(0), { x: Array(16).fill(0) });
  const options = { size: 2, alpha: 0.5, beta: 0.75, bias: 2 };
  await close(
    localResponseNorm(x, options),
    numbers.map((n, i) => {
      const next = channel(i) === 3 ? 0 : numbers[i + 2];
      return n / (2 + 0.25 * (n * n + next * next)) ** 0.75;
    }),
  );
});
