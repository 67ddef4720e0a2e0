import { expect, test } from "vitest";
import {
  cast,
  cumSum,
  eyeLike,
  input,
  negativeLogLikelihood,
  oneHotEncode,
  positions,
  range,
  scalar,
  softmaxCrossEntropy,
  trilu,
  type Value,
} from "../../../src/graph/index.js";
import { evaluate, type Feeds } from "../../helpers/run.js";

async function numbers(y: Value, feeds: Feeds = {}) {
  const { y: found } = await evaluate({ y: y.dtype === "bool" ? cast(y, { to: "float32" }) : y }, feeds);
  return Array.from(found.data, Number);
}

const x = input("x", "float32", ["n", 3]);
const six = { x: [1, 2, 3, 4, 5, 6] };

test("ranges and positions", async () => {
  expect(await numbers(range(5, -2, -3))).toEqual([5, 2, -1]);
  expect(await numbers(range(0, 1, 0.25, "float32"))).toEqual([0, 0.25, 0.5, 0.75]);
  expect(range(3, 3).shape).toEqual([0]);
  expect(() => range(0, 1, 0)).toThrow("Range: a step of 0");
  expect(await numbers(positions(x, 0), six)).toEqual([0, 1]);
  expect(positions(x, 0).shape).toEqual(["n", 1]);
});

test("triangles and diagonals, of any number of rows", async () => {
  expect(await numbers(trilu(x), six)).toEqual([1, 2, 3, 0, 5, 6]);
  expect(await numbers(trilu(x, { upper: false, k: -1 }), six)).toEqual([0, 0, 0, 4, 0, 0]);
  expect(await numbers(trilu(x, { k: scalar(1, "int64") }), six)).toEqual([0, 2, 3, 0, 0, 6]);
  expect(await numbers(eyeLike(x, { k: 1 }), six)).toEqual([0, 1, 0, 0, 0, 1]);
  expect(eyeLike(x, { dtype: "int32" }).dtype).toBe("int32");
});

test("one-hot rows and columns", async () => {
  const labels = input("labels", "int64", ["n"]);
  const feeds = { labels: [1, -1, 5] };
  expect(await numbers(oneHotEncode(labels, 3), feeds)).toEqual([0, 1, 0, 0, 0, 1, 0, 0, 0]);
  const columns = oneHotEncode(labels, 3, { axis: 0, on: scalar(7, "int32"), off: 2 });
  expect([columns.shape, columns.dtype]).toEqual([[3, "n"], "int32"]);
  expect(await numbers(columns, feeds)).toEqual([2, 2, 2, 7, 2, 2, 2, 7, 2]);
});

test("running sums", async () => {
  expect(await numbers(cumSum(x, 1), six)).toEqual([1, 3, 6, 4, 9, 15]);
  expect(await numbers(cumSum(x, -1, { exclusive: true }), six)).toEqual([0, 1, 3, 0, 4, 9]);
  expect(await numbers(cumSum(x, 0, { reverse: true }), six)).toEqual([5, 7, 9, 4, 5, 6]);
});

test("losses over classes, as PyTorch has them", async () => {
  const logits = input("x", "float32", ["n", 3]);
  const target = input("t", "int64", ["n"]);
  const weight = input("w", "float32", [3]);
  const feeds = { x: [1, 2, 3, 0, 0, 0, 5, 1, 1], t: [2, 0, 1], w: [1, 2, 4] };
  const rows = [
    [1, 2, 3],
    [0, 0, 0],
    [5, 1, 1],
  ];
  const each = rows.map((row, i) => Math.log(row.reduce((sum, n) => sum + Math.exp(n), 0)) - row[feeds.t[i]]);
  const close = async (y: Value, wanted: readonly number[]) => {
    const found = await numbers(y, feeds);
    expect(found.length).toBe(wanted.length);
    wanted.forEach((number, i) => {
      expect(found[i]).toBeCloseTo(number, 5);
    });
  };
  const loss = (options: Parameters<typeof softmaxCrossEntropy>[2]) =>
    softmaxCrossEntropy(logits, target, options).loss;
  await close(loss({}), [(each[0] + each[1] + each[2]) / 3]);
  await close(loss({ reduction: "none" }), each);
  await close(loss({ reduction: "sum", weight }), [4 * each[0] + each[1] + 2 * each[2]]);
  await close(loss({ weight }), [(4 * each[0] + each[1] + 2 * each[2]) / 7]);
  await close(loss({ ignoreIndex: 0 }), [(each[0] + each[2]) / 2]);
  await close(loss({ ignoreIndex: 1, weight, reduction: "none" }), [4 * each[0], each[1], 0]);
  await close(negativeLogLikelihood(logits, target, { reduction: "sum" }), [-(3 + 0 + 1)]);
  expect(() => negativeLogLikelihood(logits, weight)).toThrow(
    "NegativeLogLikelihoodLoss: values [batch, classes, …]",
  );
});
