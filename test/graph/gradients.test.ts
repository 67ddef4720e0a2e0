import { expect, test } from "vitest";
import {
  abs,
  add,
  concat,
  conv2d,
  exp,
  gemm,
  gradients,
  input,
  leakyRelu,
  loop,
  maximum,
  mean,
  mul,
  relu,
  row,
  scalar,
  sign,
  split,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  type Value,
  zerosLike,
} from "../../src/graph/index.js";
import { defineOp } from "../../src/graph/operator.js";
import { nodesBehind } from "../../src/graph/paths.js";
import { appendedBy } from "../helpers/appended.js";
import { evaluate, modelOf } from "../helpers/run.js";

const x = input("x", "float64", [3]);
const at = [0.5, -1, 2];

async function numbersOf(value: Value, feeds: Readonly<Record<string, readonly number[]>> = { x: at }) {
  const { result } = await evaluate({ result: value }, feeds);
  return { dims: [...result.dims], numbers: Array.from(result.data, Number) };
}

test("gradients of a value that is read several times add up", async () => {
  // y = Σ x·x + 3x + x·exp(x)
  const y = sum(add(add(mul(x, x), mul(3, x)), mul(x, exp(x))));
  const { numbers } = await numbersOf(gradients(y, [x])[0]);
  at.forEach((value, i) => {
    expect(numbers[i]).toBeCloseTo(2 * value + 3 + (1 + value) * Math.exp(value), 12);
  });
});

test("what was broadcast is summed, to the shape of each input", async () => {
  const matrix = input("m", "float64", ["batch", 3]);
  const column = input("c", "float64", ["batch", 1]);
  const one = input("o", "float64", [1, 1]);
  const all = [matrix, x, column, one];
  const y = sum(mul(mul(matrix, x), mul(column, one)));
  const found = gradients(y, all);
  expect(found.map(({ shape }) => shape)).toEqual(all.map(({ shape }) => shape));
  const feeds = { m: [1, 2, 3, 4, 5, 6], x: at, c: [10, 100], o: [2] };
  const results = await Promise.all(found.map((g) => numbersOf(g, feeds)));
  expect(results).toEqual([
    { dims: [2, 3], numbers: [10, -20, 40, 100, -200, 400] },
    { dims: [3], numbers: [2 * (1 * 10 + 4 * 100), 2 * (2 * 10 + 5 * 100), 2 * (3 * 10 + 6 * 100)] },
    { dims: [2, 1], numbers: [2 * (0.5 - 2 + 6), 2 * (2 - 5 + 12)] },
    { dims: [1, 1], numbers: [10 * (0.5 - 2 + 6) + 100 * (2 - 5 + 12)] },
  ]);
});

test("y itself has the gradient 1", async () => {
  const y = sum(x);
  expect(await numbersOf(gradients(y, [y])[0])).toEqual({ dims: [], numbers: [1] });
});

test("an x that is computed from another x counts for both", async () => {
  const middle = mul(x, 2);
  const [dx, dMiddle] = gradients(sum(mul(middle, x)), [x, middle]);
  expect((await numbersOf(dx)).numbers).toEqual(at.map((value) => 4 * value));
  expect((await numbersOf(dMiddle)).numbers).toEqual(at);
});

test("a fixed value is a constant, to first and second order", async () => {
  const target = tanh(x);
  const y = sum(mul(square(x), target));
  const [first] = gradients(y, [x], { fixed: [target] });
  const [second] = gradients(sum(first), [x], { fixed: [target] });
  const [once, twice] = [await numbersOf(first), await numbersOf(second)];
  at.forEach((value, i) => {
    expect(once.numbers[i]).toBeCloseTo(2 * value * Math.tanh(value), 12);
    expect(twice.numbers[i]).toBeCloseTo(2 * Math.tanh(value), 12);
  });
  expect(() => gradients(sum(target), [x], { fixed: [target] })).toThrow("y does not depend on x number 0");
  expect(() => gradients(target, [x], { fixed: [target] })).toThrow("is not a scalar");
});

test("one fixed output of a node leaves the others free", async () => {
  const [a, b] = split(mul(x, 2), 0, [1, 2]);
  const y = sum(concat([square(a), square(b)], 0));
  const [all] = gradients(y, [x]);
  const [free] = gradients(y, [x], { fixed: [a] });
  expect((await numbersOf(all)).numbers).toEqual(at.map((value) => 8 * value));
  expect((await numbersOf(free)).numbers).toEqual([0, -8, 16]);
});

test("an x may be fixed too: the gradient reaches it and goes no further", async () => {
  const middle = mul(x, 2);
  const [g] = gradients(sum(square(middle)), [middle], { fixed: [middle] });
  expect((await numbersOf(g)).numbers).toEqual(at.map((value) => 4 * value));
  expect(() => gradients(sum(square(middle)), [middle, x], { fixed: [middle] })).toThrow("x number 1");
});

test.each(["float64", "float32"] as const)(
  "at their kinks %s functions have the gradients that their documentation says",
  async (dtype) => {
    const x = input("x", dtype, [3]);
    const feeds = { x: [0, 1, -1] };
    const cases: [Value, number[]][] = [
      [relu(x), [0, 1, 0]],
      [leakyRelu(x, 0.25), [0.25, 1, 0.25]],
      [abs(x), [0, 1, -1]],
      [maximum(mul(x, 3), mul(x, 2)), [2.5, 3, 2]],
    ];
    for (const [y, expected] of cases) {
      expect((await numbersOf(gradients(sum(y), [x])[0], feeds)).numbers).toEqual(expected);
    }
  },
);

test("the third derivative of a polynomial", async () => {
  // y = Σ x⁴ - 2x³: 4x³ - 6x², 12x² - 12x, 24x - 12
  const y = sum(sub(square(square(x)), mul(2, mul(x, square(x)))));
  const orders = [y];
  for (let order = 0; order < 3; order++) orders.push(sum(gradients(orders[order], [x])[0]));
  const [third] = gradients(orders[2], [x]);
  expect((await numbersOf(third)).numbers).toEqual(at.map((value) => 24 * value - 12));
});

test("a gradient penalty agrees with its closed form", async () => {
  // D(x) = ½·Σ aᵢxᵢ² has the gradient a∘x. With nᵦ = ‖a∘xᵦ‖ the penalty is P = mean (nᵦ - 1)², and
  // ∂P/∂aᵢ = mean 2·(nᵦ - 1)/nᵦ · aᵢ·xᵦᵢ².
  const points = input("points", "float64", ["batch", 2]);
  const a = input("a", "float64", [2, 1]);
  const score = mul(0.5, sum(gemm(square(points), a)));
  const [slope] = gradients(score, [points]);
  const norms = sqrt(sum(square(slope), [1]));
  const penalty = mean(square(sub(norms, 1)));
  const [dA] = gradients(penalty, [a]);
  const feeds = { points: [1, 2, -0.5, 0.25, 3, 1], a: [0.7, -1.1] };

  const rows = [feeds.points.slice(0, 2), feeds.points.slice(2, 4), feeds.points.slice(4)];
  const n = rows.map((row) => Math.hypot(...row.map((value, i) => value * feeds.a[i])));
  const expected = feeds.a.map((ai, i) => {
    const terms = rows.map((row, b) => (2 * (n[b] - 1) * ai * row[i] ** 2) / n[b]);
    return terms.reduce((total, term) => total + term, 0) / rows.length;
  });
  const { numbers } = await numbersOf(dA, feeds);
  numbers.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 12);
  });
});

test("what cannot be differentiated is refused", () => {
  const other = input("other", "float64", [3]);
  expect(() => gradients(x, [x])).toThrow(
    "gradients: a value of shape [3] is not a scalar; differentiate a sum or a mean",
  );
  expect(() => gradients(sum(x), [x, other])).toThrow(
    "gradients: y does not depend on x number 1 (shape [3]); ask only for gradients of what y is computed from",
  );
  expect(() => gradients(sum(mul(sign(x), 2)), [x])).toThrow("y does not depend on x number 0");

  const run = loop(scalar(2, "int64"), "steps", { s: sum(x) }, (_, { s }) => ({
    state: { s: mul(s, 2) },
    collected: {},
  }));
  expect(() => gradients(run.state.s, [x])).toThrow("Loop: has no gradient");
});

test("a rule that returns another shape or dtype is named", () => {
  const infer = ([v]: readonly Value[]) => v;
  const shrunk = defineOp<[v: Value]>({ type: "Shrunk", infer, vjp: (_, __, g) => [sum(g, [0])] });
  expect(() => gradients(sum(shrunk(x)), [x])).toThrow(
    "Shrunk: its rule gives float64 [] for input 0, which is float64 [3]; correct the rule",
  );
  const retyped = defineOp<[v: Value]>({ type: "Retyped", infer, vjp: () => [input("g", "float32", [3])] });
  expect(() => gradients(sum(retyped(x)), [x])).toThrow(
    "Retyped: its rule gives float32 [3] for input 0, which is float64 [3]; correct the rule",
  );
});

test("what y does not depend on can have a gradient of zeros, as long as y depends on something", async () => {
  const other = input("other", "float64", ["batch", 2]);
  const y = sum(square(x));
  const [dx, dother] = gradients(y, [x, other], { unused: zerosLike });
  expect(await numbersOf(dx)).toEqual({ dims: [3], numbers: [1, -2, 4] });
  expect(await numbersOf(dother, { other: [1, 2, 3, 4] })).toEqual({ dims: [2, 2], numbers: [0, 0, 0, 0] });
  expect(() => gradients(y, [x, other])).toThrow("y does not depend on x number 1");
  expect(() => gradients(y, [other], { unused: zerosLike })).toThrow("y does not depend on x number 0");
});

test("a row counted from the end has its gradient there", async () => {
  const index = input("index", "int64", []);
  const y = square(row(x, index));
  const [dx] = gradients(y, [x]);
  for (const [i, expected] of [
    [-1, [0, 0, 4]],
    [-3, [1, 0, 0]],
    [1, [0, -2, 0]],
  ] as const) {
    expect((await numbersOf(dx, { x: at, index: [i] })).numbers).toEqual(expected);
  }
});

test("values that stopGradient has passed are constants, whatever is asked for, and nothing is written for it", async () => {
  const y = sum(mul(square(x), stopGradient(tanh(x))));
  const [dx] = gradients(y, [x]);
  const [second] = gradients(sum(dx), [x]);
  const [once, twice] = [await numbersOf(dx), await numbersOf(second)];
  at.forEach((value, i) => {
    expect(once.numbers[i]).toBeCloseTo(2 * value * Math.tanh(value), 12);
    expect(twice.numbers[i]).toBeCloseTo(2 * Math.tanh(value), 12);
  });
  const { nodes } = modelOf({ y, alone: stopGradient(x) }).graph;
  expect(nodes.map(({ type }) => type)).not.toContain("StopGradient");
  expect(() => gradients(sum(stopGradient(x)), [x])).toThrow("y does not depend on x number 0");
});

test("a value of any shape is differentiated for a gradient that arrives at it", async () => {
  const seed = input("seed", "float64", [3]);
  const [dx] = gradients(square(x), [x], { seed });
  expect((await numbersOf(dx, { x: at, seed: [1, 10, 100] })).numbers).toEqual(
    at.map((value, i) => 2 * value * 10 ** i),
  );
  const other = input("other", "float64", [2]);
  expect(() => gradients(square(x), [x], { seed: other })).toThrow(
    "gradients: the seed is float64 [2], and y float64 [3]; pass a seed of the type and shape of y",
  );
});

test("a gradient that nobody asked for is never appended", () => {
  const images = input("images", "float32", ["batch", 2, 5, 5]);
  const weight = input("weight", "float32", [3, 2, 3, 3]);
  const bias = input("bias", "float32", [3]);
  const loss = sum(square(conv2d(images, weight, { bias })));
  const types = (xs: readonly Value[]) => nodesBehind(gradients(loss, xs)).map((node) => node.operator.type);
  for (const [x, type] of [
    [images, "ConvTranspose"],
    [weight, "ConvWeightGradient"],
    [bias, "ReduceSum"],
  ] as const) {
    const { made, needed } = appendedBy(() => gradients(loss, [x]));
    expect(made).toBe(needed);
    const others = types([images, weight, bias].filter((other) => other !== x));
    expect([types([x]).includes(type), others.includes(type)]).toEqual([true, false]);
  }
  // What a path without a gradient reads is not differentiated for.
  const chosen = sum(mul(images, sign(sum(weight))));
  const both = appendedBy(() => gradients(chosen, [images, weight], { unused: (x) => x }));
  expect(both).toEqual(appendedBy(() => gradients(chosen, [images])));
});
