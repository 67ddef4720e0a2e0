import { sizeOf } from "../../tensors/tensor.js";
import { type Dim, productOf, sameShape } from "../dims.js";
import { defineOp } from "../operator.js";
import { constant, int64s, type Value } from "../value.js";
import { add } from "./elementwise.js";
import { gather } from "./gather.js";
import { batchFirst, batchLast } from "./layout.js";
import { matmul } from "./matmul.js";
import { gemm } from "./matrix.js";
import { sum } from "./reduce.js";
import { reshape, transpose } from "./reshape.js";
import { concat, split } from "./shape.js";

// Convolution as one matrix product over the whole batch. ONNX Runtime's CPU kernels multiply image by image: the
// matrices are small and one thread copies the patches. A product over the batch uses all threads. With the batch as
// the last axis, each pixel is a contiguous sequence of numbers, so patches are gathered sequence by sequence, and the
// rows of the product are channels.
//
// Patches have one number for each channel, tap and pixel of the small image. For larger images that is most of the
// memory of a training, and more than a cache holds. So these use ONNX Runtime's kernels if one image has enough pixels
// for them, and the other products are computed in parts (bench/README.md).
//
// A convolution connects a large image with a small one: tap k of the kernel connects pixel o of the small image with
// pixel s·o + d·k - p of the large image, or with padding.

/** How a kernel moves over an image, for height and width. `pads` are top, left, bottom, right. */
export type Geometry = {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
};

/**
 * The shapes of the two images of a convolution, [batch, channels, h, w], and of its weights, [small, large, kh, kw].
 */
interface Sides {
  readonly large: readonly Dim[];
  readonly small: readonly Dim[];
  readonly weight: readonly Dim[];
  readonly geometry: Geometry;
}

/** The number of pixels of an image, or of taps of a kernel. */
function area(shape: readonly Dim[]): number {
  return sizeOf(shape.slice(2) as number[]);
}

/**
 * For each tap of the kernel and each pixel of the small image: the pixel of the large image, or `none` for padding.
 */
function meetings({ large, small, weight, geometry }: Sides, none: number): number[][] {
  const { strides, dilations, pads } = geometry;
  const along = (axis: 0 | 1, tap: number, o: number) => {
    const at = strides[axis] * o + dilations[axis] * tap - pads[axis];
    return at >= 0 && at < Number(large[axis + 2]) ? at : undefined;
  };
  const [kernelWidth, width, pixelsAcross] = [weight, small, large].map((shape) => Number(shape[3]));
  return Array.from({ length: area(weight) }, (_, tap) =>
    Array.from({ length: area(small) }, (_, o) => {
      const row = along(0, Math.floor(tap / kernelWidth), Math.floor(o / width));
      const column = along(1, tap % kernelWidth, o % width);
      return row === undefined || column === undefined ? none : row * pixelsAcross + column;
    }),
  );
}

// `build()` creates this node, after gradients have been computed.

const padOp = defineOp<[x: Value, pads: Value], { to: "dims" }>({
  type: "Pad",
  attributes: { to: "dims" },
  infer: ([x], { to }) => ({ dtype: x.dtype, shape: to }),
  vjp: null,
});

/** Append one pixel of zeros to pixels [channels, pixels, batch]. https://onnx.ai/onnx/operators/onnx__Pad.html */
function withZero(x: Value): Value {
  return padOp(x, int64s([0, 0, 0, 0, 1, 0]), { to: x.shape.with(1, Number(x.shape[1]) + 1) });
}

/** Gather pixels of x [channels, pixels, batch] by a table of indices: [channels, rows, columns, batch]. */
function pick(x: Value, table: readonly (readonly number[])[]): Value {
  const index = constant("int32", [table.length, table[0].length], Int32Array.from(table.flat()));
  return gather(x, index, 1);
}

/** Images [batch, channels, h, w] as [channels, h·w, batch]. */
function pixels(images: Value): Value {
  const [batch, channels] = images.shape;
  return reshape(batchLast(images), [channels, area(images.shape), batch]);
}

/** [a, b, batch] as a matrix with a rows. */
function asRows(x: Value): Value {
  return reshape(x, [x.shape[0], productOf(x.shape.slice(1))]);
}

/** Whether the kernel has one tap that reads every pixel once, in order. Then nothing needs to be gathered. */
function isPixelByPixel({ weight, geometry }: Sides): boolean {
  const { strides, pads } = geometry;
  return area(weight) === 1 && strides.every((stride) => stride === 1) && pads.every((pad) => pad === 0);
}

/**
 * The most numbers of patches per image in one product, and about the most in one of several parts of channels, each of
 * which reads the whole small image. No convolution of dcgan has more on images of MNIST, or on 32x32 in colour.
 */
const MOST_NUMBERS = 2 ** 15;

/** About the numbers of patches per image in one of several parts of pixels: 4 MiB at a batch of 128. */
const NUMBERS_OF_PART = 2 ** 13;

/** The least pixels of one small image for which the matrices of ONNX Runtime's kernels are large enough. */
const PIXELS_OF_KERNELS = 256;

/** Whether a product over the batch is faster than ONNX Runtime's kernel, which gathers the patches of one image. */
export function fewPatches(small: readonly Dim[], weight: readonly Dim[]): boolean {
  return area(small) < PIXELS_OF_KERNELS || numbersOf({ small, weight }) <= MOST_NUMBERS;
}

/** The numbers of channels of the large image in about equal parts of a product. */
function channelParts(sides: Sides): number[] {
  const channels = Number(sides.large[1]);
  const count = Math.min(channels, Math.ceil(numbersOf(sides) / MOST_NUMBERS));
  const edge = (i: number) => Math.floor((i * channels) / count);
  return Array.from({ length: count }, (_, i) => edge(i + 1) - edge(i));
}

/**
 * The numbers of pixels of the small image in the parts of a product. They are odd, but for the last: rows of patches
 * whose distance in memory is a power of two would share few places of the cache.
 *
 * @param more pixels to add to each part. Equal patches would be shared, and kept in memory from one use to the other.
 */
function pixelParts(sides: Sides, more = 0): number[] {
  const [extent, numbers] = [area(sides.small), numbersOf(sides)];
  if (numbers <= MOST_NUMBERS || isPixelByPixel(sides)) return [extent];
  const size = 2 * Math.floor((extent * NUMBERS_OF_PART) / numbers / 2) + 1 + more;
  return Array.from({ length: Math.ceil(extent / size) }, (_, i) => Math.min(size, extent - i * size));
}

/** The numbers of patches per image. */
function numbersOf({ small, weight }: Pick<Sides, "small" | "weight">): number {
  return Number(weight[1]) * area(weight) * area(small);
}

/**
 * The patches of a large image [channels, pixels, batch], one pixel for each tap: [channels·taps, pixels of the small
 * image·batch], in parts of the small image's pixels.
 */
function* patches(large: Value, sides: Sides, parts: readonly number[]): Generator<Value> {
  if (isPixelByPixel(sides)) return yield asRows(large);
  const table = meetings(sides, area(sides.large));
  const padded = withZero(large);
  let start = 0;
  for (const part of parts) {
    const picked = pick(
      padded,
      table.map((row) => row.slice(start, start + part)),
    );
    const [channels, taps, ...others] = picked.shape;
    yield reshape(picked, [Number(channels) * Number(taps), productOf(others)]);
    start += part;
  }
}

/** The patches in one part. */
function allPatches(large: Value, sides: Sides): Value {
  const [whole] = patches(large, sides, [area(sides.small)]);
  return whole;
}

/** The weights as a matrix [small channels, large channels·taps]. */
function weightMatrix(weight: Value): Value {
  const [small, ...others] = weight.shape;
  return reshape(weight, [small, productOf(others)]);
}

/** Conv: y = W·patches(x). */
export function convByProduct(
  x: Value,
  weight: Value,
  bias: Value | undefined,
  small: readonly Dim[],
  geometry: Geometry,
): Value {
  const sides = { large: x.shape, small, weight: weight.shape, geometry };
  const c = bias && reshape(bias, [bias.shape[0], 1]);
  const matrix = weightMatrix(weight);
  // Each part has some of the result's pixels.
  const parts = Array.from(patches(pixels(x), sides, pixelParts(sides)), (part) => gemm(matrix, part, { c }));
  return batchFirst(concat(parts, 1), small);
}

/** ConvTranspose: compute Wᵀ·y, then gather and sum the products of each pixel of the result. */
export function convTransposeByProduct(
  y: Value,
  weight: Value,
  bias: Value | undefined,
  large: readonly Dim[],
  geometry: Geometry,
): Value {
  const sides = { large, small: y.shape, weight: weight.shape, geometry };
  const biased = (x: Value) => (bias ? add(x, reshape(bias, [1, bias.shape[0], 1, 1])) : x);
  if (sameShape(large.slice(2), y.shape.slice(2)) && isPixelByPixel(sides)) {
    return biased(batchFirst(gemm(weightMatrix(weight), asRows(pixels(y)), { transA: true }), large));
  }
  // Each row of products ends with a zero pixel, which is used for padding.
  const zero = area(y.shape);
  const [taps, batch] = [area(weight.shape), y.shape[0]];
  const contributions = Array.from({ length: area(large) }, (): number[] => []);
  for (const [tap, pixels] of meetings(sides, -1).entries()) {
    for (const [o, pixel] of pixels.entries()) contributions[pixel]?.push(tap * (zero + 1) + o);
  }
  const most = contributions.reduce((longest, { length }) => Math.max(longest, length), 1);
  const table = Array.from({ length: most }, (_, i) => contributions.map((from) => from[i] ?? zero));
  // Each part has some of the result's channels. It needs its products and as many gathered ones: twice the memory.
  const parts = split(weight, 1, channelParts(sides)).map((part) => {
    const products = gemm(weightMatrix(part), asRows(withZero(pixels(y))), { transA: true });
    return sum(pick(reshape(products, [part.shape[1], taps * (zero + 1), batch]), table), [1]);
  });
  return biased(batchFirst(concat(parts, 0), large));
}

/** The gradient of the weights: small·patches(large)ᵀ. */
export function weightGradientByProduct(
  large: Value,
  small: Value,
  weight: readonly Dim[],
  geometry: Geometry,
): Value {
  const sides = { large: large.shape, small: small.shape, weight, geometry };
  // Each part has some of the small image's pixels, and adds its product to those before.
  const parts = pixelParts(sides, 2);
  const rows = split(pixels(small), 1, parts);
  const [first, ...others] = Array.from(
    patches(pixels(large), sides, parts),
    (part, i) => (c?: Value) => gemm(asRows(rows[i]), part, { transB: true, c }),
  );
  return reshape(
    others.reduce((sum, product) => product(sum), first()),
    weight,
  );
}

/** The same for grouped channels: one product per group. */
export function groupedWeightGradientByProduct(
  large: Value,
  small: Value,
  weight: readonly Dim[],
  groups: number,
  geometry: Geometry,
): Value {
  const met = allPatches(pixels(large), { large: large.shape, small: small.shape, weight, geometry });
  const rows = asRows(pixels(small));
  const parted = (x: Value) => reshape(x, [groups, Number(x.shape[0]) / groups, x.shape[1]]);
  return reshape(matmul(parted(rows), transpose(parted(met), [0, 2, 1])), weight);
}
