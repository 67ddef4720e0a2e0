import { expect, test } from "vitest";
import {
  type ConvTransposeOptions,
  conv2d,
  convTranspose2d,
  input,
  type Shape,
} from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const x = (shape: Shape) => input("x", "float32", shape);
const weight = (shape: Shape) => input("w", "float32", shape);
type Options = { stride?: number; padding?: number; dilation?: number };
const integers = (length: number) => Array.from({ length }, (_, i) => ((7 * i) % 11) - 5);

/**
 * Every pair of pixels that a kernel [k, k] connects, one before the convolution and one after it, and the weight by
 * which it does, all as indices into square images of one channel.
 */
function* connections(before: number, after: number, k: number, options: Required<Options>) {
  const { stride, padding, dilation } = options;
  const near = (o: number, tap: number) => stride * o + dilation * tap - padding;
  for (let row = 0; row < after; row++)
    for (let column = 0; column < after; column++)
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) {
          const [y, x] = [near(row, i), near(column, j)];
          if (Math.min(x, y) < 0 || Math.max(x, y) >= before) continue;
          yield { before: y * before + x, after: row * after + column, weight: i * k + j };
        }
}
test.each<[number, number, number, Options]>([
  [5, 4, 2, {}],
  [4, 2, 4, { stride: 2, padding: 1 }],
  [7, 3, 4, { stride: 2, padding: 1 }],
  [8, 3, 2, { stride: 3, padding: 1, dilation: 2 }],
  [3, 5, 3, { padding: 2 }],
  [3, 3, 1, {}],
  [5, 3, 1, { stride: 2 }],
])("%i pixels to %i and back, kernel %i, %j: both ways agree with the definition", async (n, m, k, given) => {
  const options = { stride: 1, padding: 0, dilation: 1, ...given };
  const { stride, padding, dilation } = options;
  const outputPadding = n - (stride * (m - 1) + dilation * (k - 1) + 1 - 2 * padding);
  const [large, small, kernel] = [integers(n * n), integers(m * m), integers(k * k)];
  const [down, up] = [new Float32Array(m * m), new Float32Array(n * n)];
  for (const { before, after, weight } of connections(n, m, k, options)) {
    down[after] += kernel[weight] * large[before];
    up[before] += kernel[weight] * small[after];
  }
  const w = weight([1, 1, k, k]);
  const convolved = await evaluate({ y: conv2d(x([1, 1, n, n]), w, options) }, { x: large, w: kernel });
  expect(convolved.y).toMatchObject({ dims: [1, 1, m, m], data: down });
  const transposed = convTranspose2d(x([1, 1, m, m]), w, { ...options, outputPadding });
  const grown = await evaluate({ y: transposed }, { x: small, w: kernel });
  expect(grown.y).toMatchObject({ dims: [1, 1, n, n], data: up });
});

test("channels are summed over and biases added, height and width are told apart", async () => {
  const pixels = x(["batch", 2, 1, 2]);
  const bias = input("b", "float32", [3]);
  const feeds = { x: [1, 2, 3, 4, 5, 6, 7, 8], w: [1, 0, 0, 1, 2, -1], b: [0, 10, 20] };
  // Each pixel is a pair of channels, (1, 3) the first; each row of weights makes one channel of it.
  const made = await evaluate({ y: conv2d(pixels, weight([3, 2, 1, 1]), { bias }) }, feeds);
  expect(made.y).toMatchObject({
    dims: [2, 3, 1, 2],
    data: Float32Array.of(1, 2, 13, 14, 19, 20, 5, 6, 17, 18, 23, 24),
  });
  const undone = convTranspose2d(pixels, weight([2, 3, 1, 1]), { bias, stride: [1, 2], padding: [0, 1] });
  const single = await evaluate({ y: undone }, feeds);
  expect(single.y.dims).toEqual([2, 3, 1, 1]);
  // Strided to columns 0 and 2 and cut by one column on both sides, nothing but the bias is left.
  expect(Array.from(single.y.data, Number)).toEqual([0, 10, 20, 0, 10, 20]);
});

test("the sizes of a DCGAN", () => {
  const options = { stride: 2, padding: 1 };
  const down = [28, 14, 7, 3];
  for (let i = 0; i < 3; i++) {
    const y = conv2d(x(["batch", 4, down[i], down[i]]), weight([8, 4, 4, 4]), options);
    expect(y.shape).toEqual(["batch", 8, down[i + 1], down[i + 1]]);
  }
  expect(convTranspose2d(x(["batch", 8, 7, 7]), weight([8, 4, 4, 4]), options).shape).toEqual([
    "batch",
    4,
    14,
    14,
  ]);
  expect(convTranspose2d(x(["batch", 100, 1, 1]), weight([100, 8, 7, 7])).shape).toEqual(["batch", 8, 7, 7]);
});

const pixels = x(["batch", 3, 5, 4]);
const transposing = (options: ConvTransposeOptions) => () =>
  convTranspose2d(pixels, weight([3, 2, 2, 2]), options);
test.each<[string, () => unknown, string]>([
  [
    "a kernel larger than the image",
    () => conv2d(pixels, weight([2, 3, 4, 7]), { padding: 1 }),
    "Conv: the kernel [4, 7] does not fit: the result would be [batch, 2, 4, 0]: [batch, 3, 5, 4] and [2, 3, 4, 7]",
  ],
  [
    "other channels",
    () => conv2d(pixels, weight([3, 2, 2, 2])),
    "Conv: axis 1 of the images and axis 1 of the kernel differ: [batch, 3, 5, 4] and [3, 2, 2, 2]",
  ],
  [
    "other channels, transposed",
    () => convTranspose2d(pixels, weight([2, 3, 2, 2])),
    "ConvTranspose: axis 1 of the images and axis 0 of the kernel differ",
  ],
  [
    "flat images",
    () => conv2d(x(["batch", 784]), weight([2, 3, 2, 2])),
    "Conv: images and kernels with four axes, of known height and width, are needed: [batch, 784] and [2, 3, 2, 2]",
  ],
  ["symbolic sizes", () => conv2d(x([1, 3, "height", 4]), weight([2, 3, 2, 2])), "of known height and width"],
  [
    "a bias of the other channels",
    () => conv2d(pixels, weight([2, 3, 2, 2]), { bias: input("b", "float32", [3]) }),
    "Conv: the bias has not one number a channel",
  ],
  [
    "another dtype",
    () => conv2d(pixels, input("w", "float64", [2, 3, 2, 2])),
    "Conv: dtypes differ: float32 and float64",
  ],
  [
    "no stride",
    transposing({ stride: 0 }),
    "convTranspose2d: stride 0, 0; choose whole numbers of at least 1",
  ],
  [
    "negative padding",
    transposing({ padding: [1, -1] }),
    "padding 1, -1; choose whole numbers of at least 0",
  ],
  [
    "half a dilation",
    transposing({ dilation: 0.5 }),
    "dilation 0.5, 0.5; choose whole numbers of at least 1",
  ],
  [
    "more output padding than the stride",
    transposing({ stride: [3, 2], outputPadding: 2 }),
    "convTranspose2d: outputPadding 2, 2 with stride 3, 2; choose less than the stride",
  ],
  [
    "more padding than image",
    transposing({ padding: 3 }),
    "ConvTranspose: the kernel [2, 2] does not fit: the result would be [batch, 2, 0, -1]",
  ],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});
