import { expect, test } from "vitest";
import { gradients, input, leakyRelu, relu, softplus, sum, type Value } from "../../../src/graph/index.js";
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
