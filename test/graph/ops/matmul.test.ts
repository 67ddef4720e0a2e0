import { expect, test } from "vitest";
import {
  argMax,
  argMin,
  flattened,
  gradients,
  input,
  l2Norm,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  min,
  mul,
  prod,
  softmax,
  sum,
  topK,
  type Value,
} from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const numbersOf = (result: { readonly data: ArrayLike<number | bigint> }) =>
  Array.from(result.data as ArrayLike<number>, Number);

test.each<[number[], number[], number[]]>([
  [
    [2, 3],
    [3, 4],
    [2, 4],
  ],
  [
    [2, 1, 2, 3],
    [5, 3, 4],
    [2, 5, 2, 4],
  ],
  [
    [2, 2, 3],
    [3, 1],
    [2, 2, 1],
  ],
  [[3], [2, 3, 4], [2, 4]],
  [[2, 2, 3], [3], [2, 2]],
  [[3], [3], []],
])("matmul of %j and %j is the sum over the inner axis", async (left, right, shape) => {
  const [a, b] = [input("a", "float32", left), input("b", "float32", right)];
  const size = (dims: readonly number[]) => dims.reduce((total, dim) => total * dim, 1);
  const feeds = {
    a: Array.from({ length: size(left) }, (_, i) => ((5 * i) % 7) - 3),
    b: Array.from({ length: size(right) }, (_, i) => ((3 * i) % 11) - 5),
  };
  const { y } = await evaluate({ y: matmul(a, b) }, feeds);
  expect(y.dims).toEqual(shape);

  const as = left.length === 1 ? [1, ...left] : left;
  const bs = right.length === 1 ? [...right, 1] : right;
  const rank = Math.max(as.length, bs.length);
  const full = (dims: readonly number[]) => [...Array<number>(rank - dims.length).fill(1), ...dims];
  const at = (dims: readonly number[], index: readonly number[]) =>
    full(dims).reduce((offset, dim, axis) => offset * dim + (dim === 1 ? 0 : index[axis]), 0);
  const batch = full(as)
    .slice(0, -2)
    .map((dim, axis) => Math.max(dim, full(bs)[axis]));
  const wanted: number[] = [];
  for (let n = 0; n < size(batch); n++)
    for (let i = 0; i < (as.at(-2) as number); i++)
      for (let j = 0; j < (bs.at(-1) as number); j++) {
        const outer = batch.map((dim, axis) => Math.floor(n / size(batch.slice(axis + 1))) % dim);
        let total = 0;
        for (let k = 0; k < (as.at(-1) as number); k++)
          total += feeds.a[at(as, [...outer, i, k])] * feeds.b[at(bs, [...outer, k, j])];
        wanted.push(total);
      }
  expect(numbersOf(y)).toEqual(wanted);
});

test("matmul of what does not fit is refused", () => {
  const a = input("a", "float32", ["batch", 2, 3]);
  expect(() => matmul(a, input("b", "float32", [2, 3]))).toThrow(
    "MatMul: inner dimensions differ: [batch, 2, 3] and [2, 3]",
  );
  expect(() => matmul(a, input("b", "float32", [2, 3, 2]))).toThrow("MatMul: shapes do not broadcast");
});

const x = input("x", "float32", [2, 3]);
const inf = Number.POSITIVE_INFINITY;

/** y and the gradient of Σ (1, 2, 3, …)·y. */
async function withGradient(y: Value, numbers: readonly number[]) {
  const weights = input("w", "float32", y.shape);
  const [dx] = gradients(sum(mul(y, weights)), [x]);
  const size = (y.shape as number[]).reduce((total, dim) => total * dim, 1);
  const found = await evaluate({ y, dx }, { x: numbers, w: Array.from({ length: size }, (_, i) => i + 1) });
  return { y: numbersOf(found.y), dx: numbersOf(found.dx) };
}

test("softmax behind a mask of -∞ is 0 there, and its gradient too; large numbers do not overflow", async () => {
  const { y, dx } = await withGradient(softmax(x), [0, 0, -inf, 1000, 0, -1000]);
  expect(y).toEqual([0.5, 0.5, 0, 1, 0, 0]);
  expect(dx).toEqual([-0.25, 0.25, 0, 0, 0, 0]);
  const logarithms = await withGradient(logSoftmax(x), [0, 0, -1000, 1, 1, 1]);
  expect(logarithms.y[0]).toBeCloseTo(-Math.LN2, 6);
  expect(logarithms.y[2]).toBeCloseTo(-1000 - Math.LN2, 3);
  [1 - 3, 2 - 3, 3].forEach((wanted, i) => {
    expect(logarithms.dx[i]).toBeCloseTo(wanted, 5);
  });
});

test("the form of softmax before opset 13 is over all axes from one on", async () => {
  const { y } = await withGradient(flattened(softmax, x, 0), [0, 0, 0, 0, 0, 0]);
  expect(y).toEqual(Array(6).fill(Math.fround(1 / 6)));
});

test("equal extremes share the gradient evenly", async () => {
  expect(await withGradient(max(x, [1]), [3, 3, 1, 2, 2, 2])).toEqual({
    y: [3, 2],
    dx: [0.5, 0.5, 0, 2 / 3, 2 / 3, 2 / 3].map(Math.fround),
  });
  expect(await withGradient(min(x), [3, 1, 1, 2, 2, 2])).toEqual({ y: [1], dx: [0, 0.5, 0.5, 0, 0, 0] });
});

test("positions and the k largest", async () => {
  const top = topK(x, 2);
  const outputs = {
    first: argMax(x, 1),
    last: argMax(x, 1, { last: true }),
    least: argMin(x, 0, { keepdims: true }),
    values: top.values,
    indices: top.indices,
    product: prod(x, [1]),
  };
  const found = await evaluate(outputs, { x: [3, 1, 3, 2, 5, 4] });
  expect(Object.fromEntries(Object.entries(found).map(([k, v]) => [k, numbersOf(v)]))).toEqual({
    first: [0, 1],
    last: [2, 1],
    least: [1, 0, 0],
    values: [3, 3, 5, 4],
    indices: [0, 2, 1, 2],
    product: [9, 40],
  });
  expect(found.least.dims).toEqual([1, 3]);
  const { dx } = await withGradient(top.values, [3, 1, 3, 2, 5, 4]);
  expect(dx).toEqual([1, 0, 2, 0, 3, 4]);
  expect(() => topK(x, 4)).toThrow("TopK: there are no 4 along axis 1: [2, 3]");
  expect(() => gradients(prod(x), [x])).toThrow(
    "ReduceProd: the gradient of a product over axes is not supported",
  );
});

test("norms at 0 and logarithms of sums of -∞ and of large numbers", async () => {
  expect(await withGradient(l2Norm(x, [1]), [0, 0, 0, 0, 3, 4])).toEqual({
    y: [0, 5],
    dx: [0, 0, 0, 0, 1.2, 1.6].map(Math.fround),
  });
  const { y } = await withGradient(logSumExp(x, [1]), [-inf, -inf, -inf, 1000, 1000, -inf]);
  expect(y[0]).toBe(-inf);
  expect(y[1]).toBeCloseTo(1000 + Math.LN2, 3);
});
