import { expect, test } from "vitest";
import {
  constant,
  conv2d,
  convTranspose2d,
  gradients,
  input,
  mul,
  type Shape,
  sizeOf,
  split,
  square,
  sum,
  transpose,
  type Value,
} from "../../../src/graph/index.js";
import { randomStream } from "../../../src/tensors/random.js";
import { evaluate, modelOf } from "../../helpers/run.js";

const random = randomStream(1, "convolutions");
const from = (least: number, most: number) => least + random.below(most - least + 1);
const pair = (least: number, most: number) => [from(least, most), from(least, most)] as const;

/** Small whole numbers: their sums of products are exact, in whatever order. */
function numbers(shape: Shape): number[] {
  return Array.from({ length: sizeOf(shape as number[]) }, () => from(-4, 4));
}

const swapped = (x: Value) => transpose(x, [1, 0, 2, 3]);
const operatorsIn = (outputs: Record<string, Value>) => modelOf(outputs).graph.nodes.map(({ type }) => type);

/** A kernel, an image that it fits into, and the same operation by weights that are an input and that are constant. */
function randomCase() {
  const [batch, large, small] = [from(1, 3), from(1, 3), from(1, 3)];
  const [kernel, stride, dilation, padding] = [pair(1, 4), pair(1, 3), pair(1, 2), pair(0, 2)];
  const size = kernel.map((k, axis) => Math.max(stride[axis], dilation[axis] * (k - 1) + 1) + from(0, 5));
  const outputPadding = [from(0, stride[0] - 1), from(0, stride[1] - 1)] as const;
  const options = { stride, padding, dilation };

  const [x, w] = [
    input("x", "float32", [batch, large, ...size]),
    input("w", "float32", [small, large, ...kernel]),
  ];
  const convolved = conv2d(x, w, options);
  const y = input("y", "float32", convolved.shape);
  const feeds = { x: numbers(x.shape), w: numbers(w.shape), y: numbers(y.shape) };
  const fixed = ({ shape }: Value, data: readonly number[]) =>
    constant("float32", shape as number[], Float32Array.from(data));
  const [bias, unbias] = [
    fixed(input("a", "float32", [small]), numbers([small])),
    input("b", "float32", [large]),
  ];
  const both = (weight: Value) => ({
    convolved: conv2d(x, weight, { ...options, bias }),
    grown: convTranspose2d(y, weight, { ...options, outputPadding, bias: unbias }),
  });
  // The gradient of the weights, spelled as a convolution: images and channels change places, stride and dilation too.
  // It may take further steps, which belong to no weight.
  const spelled = [2, 3].reduce(
    (found, axis) => {
      const [all, wanted] = [found.shape[axis] as number, w.shape[axis] as number];
      return all === wanted ? found : split(found, axis, [wanted, all - wanted])[0];
    },
    conv2d(swapped(x), fixed(swapped(y), swappedNumbers(feeds.y, y.shape as number[])), {
      padding,
      stride: dilation,
      dilation: stride,
    }),
  );
  return {
    about: JSON.stringify({ x: x.shape, w: w.shape, ...options, outputPadding }),
    feeds: { ...feeds, b: numbers([large]) },
    products: { ...both(w), gradient: gradients(sum(mul(convolved, y)), [w])[0] },
    kernels: { ...both(fixed(w, feeds.w)), gradient: swapped(spelled) },
  };
}

/** Numbers of a tensor after its first two axes change places. */
function swappedNumbers(data: readonly number[], [a, b, ...others]: readonly number[]): number[] {
  const size = sizeOf(others);
  return data.map((_, i) => {
    const [first, second, rest] = [Math.floor(i / (a * size)), Math.floor(i / size) % a, i % size];
    return data[(second * b + first) * size + rest];
  });
}

test.each(Array.from({ length: 40 }, randomCase))(
  "products over the batch give the numbers of ONNX's own operators: $about",
  async ({ feeds, products, kernels }) => {
    const [found, expected] = [await evaluate(products, feeds), await evaluate(kernels, feeds)];
    expect(found).toEqual(expected);
  },
);

test("convolutions by constant weights stay ONNX's own, learnt ones are products, patches made once", () => {
  const [x, w] = [input("x", "float32", ["batch", 2, 6, 6]), input("w", "float32", [3, 2, 4, 4])];
  const known = constant("float32", [3, 2, 4, 4], new Float32Array(96));
  const options = { stride: 2, padding: 1 };
  expect(operatorsIn({ y: conv2d(x, known, options) })).toEqual(["Conv"]);
  const grown = convTranspose2d(input("y", "float32", ["batch", 3, 3, 3]), known, options);
  expect(operatorsIn({ grown })).toEqual(["ConvTranspose"]);

  const y = conv2d(x, w, options);
  const [dw] = gradients(sum(mul(y, y)), [w]);
  const operators = operatorsIn({ y, dw });
  expect(operators).not.toContain("Conv");
  expect(operators.filter((type) => type === "Gather")).toHaveLength(1);
});

/** A convolution, its transpose and the gradient of its weights, all by learnt weights, and the first two by ONNX's. */
async function largeCase([channels, size]: readonly [channels: number, size: number]) {
  const weights = [3, channels, 4, 4];
  const [x, y] = [
    input("x", "float32", [1, channels, size, size]),
    input("y", "float32", [1, 3, size / 2, size / 2]),
  ];
  const w = input("w", "float32", weights);
  const feeds = { x: numbers(x.shape), y: numbers(y.shape), w: numbers(w.shape) };
  const options = { stride: 2, padding: 1 };
  const both = (weight: Value) => ({
    convolved: conv2d(x, weight, options),
    grown: convTranspose2d(y, weight, options),
  });
  const all = { ...both(w), dw: gradients(sum(mul(both(w).convolved, y)), [w])[0] };
  const { convolved, grown, dw } = await evaluate(all, feeds);
  const fixed = constant("float32", weights, Float32Array.from(feeds.w));
  expect({ convolved, grown }).toEqual(await evaluate(both(fixed), feeds));
  // ∂/∂w of Σ conv(x, w)·y: what one weight adds is conv by a kernel of zeros with a one there.
  const one = constant(
    "float32",
    weights,
    Float32Array.from(feeds.w, (_, i) => +(i === 200)),
  );
  const { share } = await evaluate({ share: sum(mul(conv2d(x, one, options), y)) }, feeds);
  expect(dw.data[200]).toBe(share.data[0]);

  const { nodes, values } = modelOf(all).graph;
  const gathered = nodes.filter(({ type }) => type === "Gather").flatMap(({ outputs }) => outputs);
  const sizes = values
    .filter(({ name }) => gathered.includes(name))
    .map(({ shape }) => sizeOf(shape as number[]));
  expect(sizes).toHaveLength(gathered.length);
  const patches = channels * 16 * (size / 2) ** 2;
  return { operators: nodes.map(({ type }) => type), largest: Math.max(...sizes) / patches };
}

test("patches of many channels are made in parts, which give the same numbers", async () => {
  const { operators, largest } = await largeCase([64, 16]);
  for (const type of ["Conv", "ConvTranspose"]) expect(operators).not.toContain(type);
  expect(largest).toBeLessThanOrEqual(1 / 2);
});

test("large images use ONNX's own convolutions, and the gradient of the weights is made in parts", async () => {
  const { operators, largest } = await largeCase([8, 48]);
  expect(operators.filter((type) => type.startsWith("Conv"))).toEqual(["Conv", "ConvTranspose"]);
  expect(largest).toBeLessThanOrEqual(1 / 8);
});

test("an image may have more pixels than a function has arguments", () => {
  const small = input("x", "float32", ["batch", 1, 8, 8]);
  const y = convTranspose2d(small, input("w", "float32", [1, 1, 64, 64]), { stride: 64 });
  expect(y.shape).toEqual(["batch", 1, 512, 512]);
  expect(operatorsIn({ y })).toContain("Gather");
});

test("a kernel of one pixel is a product of channels: nothing is gathered, forwards or backwards", () => {
  const x = input("x", "float32", ["batch", 3, 4, 5]);
  const w = input("w", "float32", [2, 3, 1, 1]);
  const y = conv2d(x, w);
  const [dx, dw] = gradients(sum(square(y)), [x, w]);
  const types = operatorsIn({ y, dx, dw });
  expect(types.filter((type) => type === "Gemm").length).toBe(3);
  for (const type of ["Gather", "Pad", "Conv", "ConvTranspose"]) expect(types).not.toContain(type);
});

test("a kernel of one pixel is one product of many channels, too", async () => {
  const feeds = { x: numbers([1, 400, 10, 10]), w: numbers([2, 400, 1, 1]) };
  const [x, w] = [input("x", "float32", [1, 400, 10, 10]), input("w", "float32", [2, 400, 1, 1])];
  const [dw] = gradients(sum(conv2d(x, w)), [w]);
  expect((await evaluate({ dw }, feeds)).dw.data[399]).toBe(feeds.x.slice(399 * 100).reduce((a, b) => a + b));
});
