import { expect, test } from "vitest";
import {
  add,
  cast,
  conv2d,
  equal,
  expandLike,
  gradients,
  greater,
  input,
  leakyRelu,
  maximum,
  mean,
  mul,
  neg,
  type Shape,
  square,
  sub,
  sum,
  type Value,
  where,
} from "../../../src/graph/index.js";
import { randomStream } from "../../../src/tensors/random.js";
import { evaluate, modelOf } from "../../helpers/run.js";

const [batch, channels, height, width] = [3, 2, 4, 5];
const shape = ["batch", channels, height, width];
const x = input("x", "float32", shape);
const w = input("w", "float32", [channels, channels, 1, 1]);
const random = randomStream(0, "layouts");
/** Small whole numbers: sums and products of them are exact, in whatever order. */
const numbers = (count: number) => Array.from({ length: count }, () => random.below(9) - 4);
const feeds = { x: numbers(batch * channels * height * width), w: numbers(channels * channels) };

const typesIn = (outputs: Record<string, Value>) => modelOf(outputs).graph.nodes.map(({ type }) => type);
const transposesIn = (y: Value) => typesIn({ y }).filter((type) => type === "Transpose").length;

/** The numbers that f makes of an image between two convolutions, and of the same image as an input. */
async function inBothLayouts(f: (image: Value) => Value, others: Record<string, readonly number[]>) {
  const image = conv2d(x, w);
  const known = Array.from((await evaluate({ image }, feeds)).image.data, Number);
  const { y } = await evaluate({ y: f(image) }, { ...feeds, ...others });
  const { y: expected } = await evaluate({ y: f(x) }, { x: known, ...others });
  return { y, expected };
}

const everyShape: Shape[] = [
  [],
  [1],
  [width],
  [height, 1],
  [channels, 1, 1],
  [1, height, width],
  [1, channels, 1, 1],
  [1, 1, height, width],
  [1, channels, height, width],
  ["batch", 1, 1, 1],
  ["batch", channels, 1, 1],
  shape,
];

test.each(everyShape.map((dims) => ({ dims })))(
  "$dims meets a turned image as it meets any other",
  async ({ dims }) => {
    const other = input("other", "float32", dims);
    const size = dims.reduce<number>((total, dim) => total * (typeof dim === "number" ? dim : batch), 1);
    const kinds: ((image: Value) => Value)[] = [
      (image) => add(image, other),
      (image) => sub(other, mul(image, image)),
      (image) => maximum(other, image),
      (image) => where(greater(image, other), image, other),
      (image) => cast(equal(image, other), { to: "float32" }),
    ];
    for (const f of kinds) {
      const { y, expected } = await inBothLayouts(f, { other: numbers(size) });
      expect(y.dims).toEqual(expected.dims);
      expect(Array.from(y.data, Number).map((value) => value + 0)).toEqual(
        Array.from(expected.data, Number).map((value) => value + 0), // 0 and -0 are one number.
      );
    }
  },
);

const subsets = Array.from({ length: 16 }, (_, bits) => [0, 1, 2, 3].filter((axis) => bits & (1 << axis)));

test.each(subsets.map((axes) => ({ axes })))(
  "a turned image is reduced over $axes as any other",
  async ({ axes }) => {
    for (const keepdims of [false, true]) {
      for (const reduce of [sum, mean]) {
        const { y, expected } = await inBothLayouts((image) => reduce(square(image), axes, { keepdims }), {});
        expect(y.dims).toEqual(expected.dims);
        Array.from(y.data, Number).forEach((value, i) => {
          expect(value).toBeCloseTo(Number(expected.data[i]), 4);
        });
      }
    }
  },
);

test("images are turned where a stretch of convolutions begins and ends, and nowhere between", () => {
  const scale = input("scale", "float32", [1, channels, 1, 1]);
  const layer = (image: Value) => {
    const y = conv2d(image, w);
    const centred = sub(y, mean(y, [0, 2, 3], { keepdims: true }));
    return leakyRelu(add(mul(centred, scale), neg(scale)), 0.2);
  };
  const y = layer(layer(layer(x)));
  expect(transposesIn(y)).toBe(2);
  // The gradient comes as an image, and goes as one.
  const loss = sum(mul(y, input("g", "float32", shape)));
  const [dx, dw] = gradients(loss, [x, w]);
  expect(transposesIn(dw)).toBe(2);
  expect(transposesIn(dx)).toBe(3);
});

test("what broadcasts is not expanded first, unless the shape is nobody else's", async () => {
  const [a, row] = [input("a", "float32", ["batch", 3]), input("row", "float32", [1, 3])];
  const expanded = expandLike(row, a);
  expect(typesIn({ y: mul(a, expanded) })).toEqual(["Mul"]);
  const both = neg(expanded);
  expect(typesIn({ both })).toContain("Expand");
  const { y } = await evaluate({ y: both }, { a: [0, 0, 0, 0, 0, 0], row: [1, 2, 3] });
  expect([...y.data]).toEqual([-1, -2, -3, -1, -2, -3]);
});

test("an image of one number is the same in both layouts", async () => {
  const patch = input("p", "float32", [1, 2, 2, 2]);
  const score = conv2d(patch, input("k", "float32", [1, 2, 2, 2]));
  const { y } = await evaluate(
    { y: square(neg(score)) },
    { p: [1, 2, 3, 4, 5, 6, 7, 8], k: [1, 0, 0, 0, 0, 0, 0, 1] },
  );
  expect([[...y.dims], Array.from(y.data, Number)]).toEqual([[1, 1, 1, 1], [81]]);
});
