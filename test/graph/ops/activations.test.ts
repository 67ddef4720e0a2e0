import { expect, test } from "vitest";
import {
  celu,
  elu,
  gelu,
  gradients,
  hardSigmoid,
  hardSwish,
  input,
  leakyRelu,
  mish,
  prelu,
  relu,
  selu,
  shrink,
  softplus,
  softsign,
  sum,
  swish,
  thresholdedRelu,
  type Value,
} from "../../../src/graph/index.js";
import { evaluate, modelOf } from "../../helpers/run.js";

const x = input("x", "float32", ["n"]);

/** y and dy/dx at some numbers, float32. */
async function at(y: Value, numbers: readonly number[]) {
  const [dy] = gradients(sum(y), [x]);
  const results = await evaluate({ y, dy }, { x: numbers });
  const slopes = Array.from(results.dy.data, Number).map((slope) => slope + 0); // -0 + 0 is 0
  return { y: Array.from(results.y.data, Number), dy: slopes };
}

test.each([
  ["relu", relu(x), 0],
  ["leakyRelu", leakyRelu(x, 0.25), 0.25],
  ["leakyRelu with a slope of 0", leakyRelu(x, 0), 0],
])("the slopes of %s are exact from the smallest activations to the largest", async (_, y, slope) => {
  const above = [1e-29, 1e-8, 0.5, 1, 1e8, 1e38];
  const below = [0, ...above.map((value) => -value)];
  expect((await at(y, above)).dy).toEqual(above.map(() => 1));
  expect((await at(y, below)).dy).toEqual(below.map(() => slope));
});

test("softplus and its slope are exact to float32, and no number overflows", async () => {
  const numbers = Array.from({ length: 241 }, (_, i) => (i - 120) / 4);
  const { y, dy } = await at(softplus(x), numbers);
  numbers.forEach((number, i) => {
    const exact = Math.max(number, 0) + Math.log1p(Math.exp(-Math.abs(number)));
    expect(Math.abs(y[i] - exact), `of ${number}`).toBeLessThan(1e-7 + 2e-7 * exact);
    const slope = 1 / (1 + Math.exp(-number));
    // Relative: Adam makes large steps from the smallest gradients.
    expect(Math.abs(dy[i] / slope - 1), `slope at ${number}`).toBeLessThan(4e-7);
  });
  expect(await at(softplus(x), [-1000, 0, 1000])).toEqual({
    y: [0, Math.fround(Math.LN2), 1000],
    dy: [0, 0.5, 1],
  });
});

test("the slope of softplus's slope is 0 where it vanishes", async () => {
  const [dy] = gradients(sum(softplus(x)), [x]);
  const numbers = [-1000, -100, -89, -2, 0, 2, 89, 1000];
  const { dy: second } = await at(dy, numbers);
  numbers.forEach((number, i) => {
    const e = Math.exp(-Math.abs(number));
    expect(second[i], `at ${number}`).toBeCloseTo(e / (1 + e) ** 2, 7);
  });
});

test("softplus costs no node but those of its passes", () => {
  const types = modelOf({ y: softplus(x) }).graph.nodes.map(({ type }) => type);
  expect(types.sort()).toEqual(["Abs", "Add", "Add", "Exp", "Log", "Neg", "Relu"]);
});

test("activations agree with their definitions", async () => {
  const e = (n: number) => Math.exp(n) - 1;
  const sigma = (n: number) => 1 / (1 + Math.exp(-n));
  const tanhGelu = (n: number) => 0.5 * n * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (n + 0.044715 * n ** 3)));
  const clipped = (n: number) => Math.min(Math.max(n, 0), 1);
  const exact: Record<string, [Value, (n: number) => number]> = {
    elu: [elu(x, 0.5), (n) => (n > 0 ? n : 0.5 * e(n))],
    selu: [selu(x), (n) => 1.0507009873554805 * (n > 0 ? n : 1.6732632423543772 * e(n))],
    celu: [celu(x, 2), (n) => (n > 0 ? n : 2 * e(n / 2))],
    gelu: [gelu(x, "tanh"), tanhGelu],
    swish: [swish(x, 1.5), (n) => n * sigma(1.5 * n)],
    mish: [mish(x), (n) => n * Math.tanh(Math.log1p(Math.exp(n)))],
    softsign: [softsign(x), (n) => n / (1 + Math.abs(n))],
    prelu: [prelu(x, 0.25), (n) => (n > 0 ? n : 0.25 * n)],
    steep: [leakyRelu(x, 2), (n) => (n > 0 ? n : 2 * n)],
    falling: [leakyRelu(x, -0.5), (n) => (n > 0 ? n : -0.5 * n)],
    hardSigmoid: [hardSigmoid(x), (n) => clipped(0.2 * n + 0.5)],
    hardSwish: [hardSwish(x), (n) => n * clipped(n / 6 + 0.5)],
    thresholded: [thresholdedRelu(x, 0.5), (n) => (n > 0.5 ? n : 0)],
    shrink: [shrink(x, 0.25, 1), (n) => (n < -1 ? n + 0.25 : n > 1 ? n - 0.25 : 0)],
  };
  const numbers = [-100, -4, -2.5, -1, -0.5, 0, 0.5, 1, 2, 4, 90];
  const found = await evaluate(Object.fromEntries(Object.entries(exact).map(([name, [y]]) => [name, y])), {
    x: numbers,
  });
  for (const [name, [, f]] of Object.entries(exact)) {
    numbers.forEach((number, i) => {
      const error = Math.abs(Number(found[name].data[i]) - f(number));
      expect(error, `${name} of ${number}`).toBeLessThan(1e-6 * Math.max(1, Math.abs(f(number))));
    });
  }
});

test("gelu is x times the normal distribution's share below x", async () => {
  const { y } = await at(gelu(x), [-2, -1, 0, 1, 2]);
  [-0.0455002639, -0.1586552539, 0, 0.8413447461, 1.9544997361].forEach((wanted, i) => {
    expect(y[i]).toBeCloseTo(wanted, 6);
  });
});

test("slopes at 0 are PyTorch's", async () => {
  const slope = async (y: Value) => (await at(y, [0])).dy[0];
  expect(await slope(elu(x, 0.5))).toBe(0.5);
  expect(await slope(celu(x, 2))).toBe(1);
  expect(await slope(prelu(x, 0.25))).toBe(0.25);
  expect(await slope(leakyRelu(x, 2))).toBe(2);
  expect(await slope(softsign(x))).toBe(1);
});
