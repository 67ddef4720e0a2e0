import { elementsOf } from "../../tensors/tensor.js";
import { productOf } from "../dims.js";
import { apply, defineOp, type Op } from "../operator.js";
import { constant, type Operator, type Value } from "../value.js";
import { pow } from "./arithmetic.js";
import { conv } from "./conv-general.js";
import { abs, div, mul } from "./elementwise.js";
import { max } from "./extremes.js";
import { scatterElements } from "./gather.js";
import { mean, sum } from "./reduce.js";
import { reshape } from "./reshape.js";
import { zerosLike } from "./shape.js";
import { pad } from "./slice.js";
import { repeatEach } from "./tile.js";
import {
  asImages,
  asSignals,
  forImages,
  reachOf,
  spatialSizes,
  type WindowOptions,
  type Windows,
  windowsForImages,
  windowsOf,
} from "./windows.js";

/** A window over one or two axes, with ONNX's names. The default stride is 1. */
export interface PoolOptions extends WindowOptions {
  readonly kernel: readonly number[];
  /** Whether the last window may extend beyond the end, if it begins before the end. */
  readonly ceilMode?: boolean;
}

export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts as zeros. Otherwise it is not counted. */
  readonly countIncludePad?: boolean;
}

/** The windows, with the end padding that `ceilMode` needs, and the extents of the result. */
function pooled(
  where: string,
  x: Value,
  options: PoolOptions,
): { readonly windows: Windows; readonly outputs: readonly number[]; readonly pads: readonly number[] } {
  const { kernel, ceilMode = false } = options;
  const sizes = spatialSizes(where, x, kernel);
  const windows = windowsOf(where, sizes, kernel, options);
  const { strides, dilations, pads } = windows;
  const rank = kernel.length;
  const outputs = sizes.map((size, i) => {
    const way = size + pads[i] + pads[i + rank] - reachOf(kernel[i], dilations[i]);
    const count = Math[ceilMode ? "ceil" : "floor"](way / strides[i]) + 1;
    // Omit a window that would begin in the padding at the end.
    return ceilMode && (count - 1) * strides[i] >= size + pads[i] ? count - 1 : count;
  });
  const ends = sizes.map((size, i) => {
    const end = (outputs[i] - 1) * strides[i] + reachOf(kernel[i], dilations[i]) - size - pads[i];
    return Math.max(end, pads[i + rank]);
  });
  return { windows: { ...windows, pads: [...pads.slice(0, rank), ...ends] }, outputs, pads };
}

/** MaxPool has two outputs, the maxima and their positions in the flattened input, so it does not use `defineOp`. */
export const maxPoolOp: { readonly operator: Operator } = {
  operator: {
    type: "MaxPool",
    requiredOutputs: 1,
    attributes: { kernel_shape: "ints", strides: "ints", dilations: "ints", pads: "ints", outputs: "dims" },
    infer: ([x], { outputs }) => {
      const shape = [...x.shape.slice(0, 2), ...(outputs as readonly number[])];
      return [
        { dtype: x.dtype, shape },
        { dtype: "int64", shape },
      ];
    },
    // Each gradient goes to the position of the maximum.
    vjp: ([x], [, places], [g]) => {
      if (!g) return [null];
      const flat = (value: Value) => reshape(value, [productOf(value.shape)]);
      return [reshape(scatterElements(flat(zerosLike(x)), flat(places), flat(g), 0, "add"), x.shape)];
    },
  },
};

/**
 * The maximum of each window. The first of equal maxima gets the gradient, as in PyTorch.
 * https://onnx.ai/onnx/operators/onnx__MaxPool.html
 *
 * @param x signals [batch, channels, n] or images [batch, channels, h, w], with known extents.
 * @returns the maxima, and their positions in the flattened x, as int64.
 */
export function maxPool(x: Value, options: PoolOptions): { values: Value; indices: Value } {
  const { windows, outputs } = pooled("MaxPool", x, options);
  const attributes = {
    ...windowsForImages(windows),
    kernel_shape: forImages(options.kernel, 1),
    outputs: forImages(outputs, 1),
  };
  const [values, indices] = apply(maxPoolOp.operator, [asImages(x)], attributes);
  return { values: asSignals(values, x), indices: asSignals(indices, x) };
}

/** Adjacent windows without overlap. Remaining rows and columns at the end are not read. */
export const averagePoolOp: Op<[x: Value], { kernel_shape: "ints"; strides: "ints" }> = defineOp({
  type: "AveragePool",
  attributes: { kernel_shape: "ints", strides: "ints" },
  infer: ([x], { kernel_shape }) => ({
    dtype: x.dtype,
    shape: x.shape.map((dim, axis) => (axis < 2 ? dim : Math.floor(Number(dim) / kernel_shape[axis - 2]))),
  }),
  vjp: ([x], y, g, { kernel_shape: [height, width] }) => {
    const spread = repeatEach(div(g, height * width), [1, 1, height, width]);
    const left = (axis: number, size: number) => Number(x.shape[axis]) - Number(y.shape[axis]) * size;
    return [
      pad(spread, [
        [0, 0],
        [0, 0],
        [0, left(2, height)],
        [0, left(3, width)],
      ]),
    ];
  },
});

/**
 * The mean of each window. https://onnx.ai/onnx/operators/onnx__AveragePool.html
 *
 * @param x signals [batch, channels, n] or images [batch, channels, h, w], with known extents.
 */
export function averagePool(x: Value, options: AveragePoolOptions): Value {
  const { kernel, countIncludePad = false } = options;
  const sizes = spatialSizes("AveragePool", x, kernel);
  const { windows, outputs, pads } = pooled("AveragePool", x, options);
  const { strides, dilations } = windows;
  const tiles = kernel.every((size, i) => size === strides[i] && dilations[i] === 1);
  if (tiles && windows.pads.every((padding) => padding === 0)) {
    const kernel_shape = forImages(kernel, 1);
    return asSignals(averagePoolOp(asImages(x), { kernel_shape, strides: kernel_shape }), x);
  }
  // The number of elements of each window that count, along each axis: those inside the image, or inside image and
  // padding.
  const counts = sizes.map((size, i) => {
    const [low, high] = countIncludePad ? [-pads[i], size + pads[i + kernel.length]] : [0, size];
    return Array.from({ length: outputs[i] }, (_, o) => {
      const taps = Array.from({ length: kernel[i] }, (_, k) => o * strides[i] - pads[i] + k * dilations[i]);
      return taps.filter((at) => at >= low && at < high).length;
    });
  });
  const table = counts.reduce((all, axis) => all.flatMap((n) => axis.map((m) => n * m)), [1]);
  const shares = elementsOf(
    x.dtype,
    table.map((n) => 1 / n),
  );
  return mul(windowSums(x, kernel, windows), constant(x.dtype, [1, 1, ...outputs], shares));
}

/** The sum of each window: a convolution of each channel with ones. */
function windowSums(x: Value, kernel: readonly number[], windows: Windows): Value {
  const channels = Number(x.shape[1]);
  const size = kernel.reduce((product, n) => product * n, channels);
  const ones = constant(x.dtype, [channels, 1, ...kernel], elementsOf(x.dtype, Array<number>(size).fill(1)));
  return conv(x, ones, { ...windows, groups: channels });
}

/** (Σ |x|ᵖ)^(1/p) of each window. https://onnx.ai/onnx/operators/onnx__LpPool.html */
export function lpPool(x: Value, { p = 2, ...options }: PoolOptions & { readonly p?: number }): Value {
  const { windows } = pooled("LpPool", x, options);
  return pow(windowSums(pow(abs(x), p), options.kernel, windows), 1 / p);
}

/** The axes after batch and channels. */
function spatialAxes(x: Value): number[] {
  return x.shape.map((_, axis) => axis).slice(2);
}

/** The mean of each channel of each image. https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html */
export function globalAveragePool(x: Value): Value {
  return mean(x, spatialAxes(x), { keepdims: true });
}

/**
 * The maximum of each channel of each image. Equal maxima share the gradient.
 * https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html
 */
export function globalMaxPool(x: Value): Value {
  return max(x, spatialAxes(x), { keepdims: true });
}

/** (Σ |x|ᵖ)^(1/p) of each channel of each image. https://onnx.ai/onnx/operators/onnx__GlobalLpPool.html */
export function globalLpPool(x: Value, p = 2): Value {
  return pow(sum(pow(abs(x), p), spatialAxes(x), { keepdims: true }), 1 / p);
}
