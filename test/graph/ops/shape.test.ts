import { expect, test } from "vitest";
import { concat, input, relu, split, type Value } from "../../../src/graph/index.js";
import { shapeOf } from "../../../src/graph/ops/shape.js";
import { evaluate, modelOf } from "../../helpers/run.js";

test.each([8, 10, 20, 61, 600])(
  "%i parts come in several nodes of at most eight buffers, and out as they were",
  async (count) => {
    const extents = Array.from({ length: count }, (_, i) => 1 + ((5 * i) % 7));
    const total = extents.reduce((sum, extent) => sum + extent, 0);
    const x = input("x", "float32", [total, 2]);
    const parts = split(x, 0, extents);
    expect(parts.map(({ shape }) => shape)).toEqual(extents.map((extent) => [extent, 2]));
    const outputs = { whole: concat(parts, 0), turned: concat(parts.toReversed(), 0) };
    for (const { inputs, outputs: results } of modelOf(outputs).graph.nodes)
      expect(inputs.length + results.length).toBeLessThanOrEqual(9); // Sizes are no buffer.

    const numbers = Array.from({ length: 2 * total }, (_, i) => i);
    const { whole, turned } = await evaluate(outputs, { x: numbers });
    expect(Array.from(whole.data, Number)).toEqual(numbers);
    const starts = extents.map((_, i) => extents.slice(0, i).reduce((sum, extent) => sum + extent, 0));
    const pieces = extents.map((extent, i) => numbers.slice(2 * starts[i], 2 * (starts[i] + extent)));
    expect(Array.from(turned.data, Number)).toEqual(pieces.toReversed().flat());
  },
);

test("of many parts the small ones are cut off together, so that little is copied twice", () => {
  const x = input("x", "float32", [1000 + 3 + 4000 + 2000 + 10 + 10 + 10 + 5000]);
  const parts = split(x, 0, [1000, 3, 4000, 2000, 10, 10, 10, 5000]);
  const { values } = modelOf(Object.fromEntries(parts.map((part, i) => [`part${i}`, part]))).graph;
  expect(values.map(({ shape }) => shape)).toEqual([[20]]);
});

test("the sizes of 30,000 values in a row are asked of the input, which is not looked for again each time", () => {
  let value: Value = input("x", "float32", ["batch", 4]);
  const asked = Array.from({ length: 30_000 }, () => {
    value = relu(value);
    return shapeOf(value);
  });
  const { nodes } = modelOf({ first: asked[0], last: asked[29_999] }).graph;
  const reads = nodes.filter(({ type }) => type === "Shape").map(({ inputs }) => inputs);
  expect(reads).toEqual([["x"]]);
}, 20_000);

test("a value is cut into 50,000 parts, and these joined, in seconds", () => {
  const x = input("x", "float32", ["batch", 50_000]);
  const parts = split(x, 1, 50_000);
  expect(concat(parts, 1).shape).toEqual(x.shape);
}, 20_000);
