import { type Dim, type Shape, shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { pow, sumOf } from "./arithmetic.js";
import { add, div, equal, maximum, mul, sqrt, square, sub, where } from "./elementwise.js";
import { normalizeAxis } from "./infer.js";
import { l1Norm, l2Norm } from "./norms.js";
import { elementCount, mean } from "./reduce.js";
import { reshape } from "./reshape.js";
import { pad, slice } from "./slice.js";

/** The scale and bias after normalization, and the epsilon added to the variance. */
export interface NormOptions {
  readonly scale?: Value;
  readonly bias?: Value;
  readonly epsilon?: number;
}

/** x · scale + bias; both are optional. */
function affine(x: Value, scale?: Value, bias?: Value): Value {
  const scaled = scale ? mul(x, scale) : x;
  return bias ? add(scaled, bias) : scaled;
}

/** Mean and variance over some axes, with axes kept. The variance divides by the number of elements. */
function moments(x: Value, axes: readonly number[]): { centred: Value; average: Value; variance: Value } {
  const average = mean(x, axes, { keepdims: true });
  const centred = sub(x, average);
  return { centred, average, variance: mean(square(centred), axes, { keepdims: true }) };
}

/** (x - μ) / √(σ² + ε), with mean and variance over some axes. */
function standardized(x: Value, axes: readonly number[], epsilon: number): Value {
  const { centred, variance } = moments(x, axes);
  return div(centred, sqrt(add(variance, epsilon)));
}

/** All axes from `axis` on. */
function axesFrom(operator: string, x: Value, axis: number): number[] {
  const first = normalizeAxis(operator, axis, x.shape.length);
  return x.shape.map((_, i) => i).slice(first);
}

/** All axes except batch and channels. */
const spatialAxes = (x: Value) => x.shape.map((_, axis) => axis).slice(2);

/** Reshape a value per channel, [channels], to broadcast to x. */
function alongChannels(values: Value | undefined, x: Value): Value | undefined {
  return values && reshape(values, [values.shape[0], ...spatialAxes(x).map(() => 1)]);
}

/**
 * Layer normalization over the axes from `axis` on (Ba et al. 2016, https://arxiv.org/abs/1607.06450). Scale and bias
 * broadcast to these axes. https://onnx.ai/onnx/operators/onnx__LayerNormalization.html
 */
export function layerNorm(x: Value, axis = -1, { scale, bias, epsilon = 1e-5 }: NormOptions = {}): Value {
  return affine(standardized(x, axesFrom("LayerNormalization", x, axis), epsilon), scale, bias);
}

/**
 * x / √(mean of x² + ε) over the axes from `axis` on (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).
 * https://onnx.ai/onnx/operators/onnx__RMSNormalization.html
 */
export function rmsNorm(x: Value, axis = -1, { scale, epsilon = 1e-5 }: NormOptions = {}): Value {
  const axes = axesFrom("RMSNormalization", x, axis);
  return affine(div(x, sqrt(add(mean(square(x), axes, { keepdims: true }), epsilon))), scale);
}

/**
 * Instance normalization: normalize each channel of each image. Scale and bias are [channels].
 * https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html
 */
export function instanceNorm(x: Value, { scale, bias, epsilon = 1e-5 }: NormOptions = {}): Value {
  return affine(standardized(x, spatialAxes(x), epsilon), alongChannels(scale, x), alongChannels(bias, x));
}

/**
 * Group normalization: normalize groups of channels of each image (Wu and He 2018, https://arxiv.org/abs/1803.08494).
 * Scale and bias are [channels], or [groups] as before opset 21.
 * https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
 *
 * @throws {@link GanOnnxError} when the groups do not divide the channels.
 */
export function groupNorm(
  x: Value,
  groups: number,
  { scale, bias, epsilon = 1e-5 }: NormOptions = {},
): Value {
  const [batch, channels, ...spatial] = x.shape;
  const each = Number(channels) / groups;
  if (!Number.isInteger(each))
    throw shapeError("GroupNormalization", `${groups} groups do not divide the channels`, [x.shape]);
  const parted: Shape = [batch, groups, each, ...spatial];
  const grouped = reshape(x, parted);
  const normal = standardized(grouped, axesFrom("GroupNormalization", grouped, 2), epsilon);
  const column = (values?: Value) => {
    const count: Dim | undefined = values?.shape[0];
    const ones = spatial.map(() => 1);
    return (
      values &&
      reshape(values, count === groups && each !== 1 ? [groups, 1, ...ones] : [groups, each, ...ones])
    );
  };
  return reshape(affine(normal, column(scale), column(bias)), x.shape);
}

/** Mean and variance per channel, each [channels]. */
export interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
}

/**
 * (x - μ) / √(σ² + ε) · scale + bias with given statistics, each [channels].
 * https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 */
export function batchNorm(x: Value, { mean, variance }: Statistics, options: NormOptions = {}): Value {
  const { scale, bias, epsilon = 1e-5 } = options;
  const deviation = sqrt(add(variance, epsilon));
  const slope = scale ? div(scale, deviation) : div(1, deviation);
  const shift = bias ? sub(bias, mul(mean, slope)) : mul(mul(mean, slope), -1);
  return affine(x, alongChannels(slope, x), alongChannels(shift, x));
}

/**
 * Batch normalization with the statistics of the batch, over all axes except channels (Ioffe and Szegedy 2015,
 * https://arxiv.org/abs/1502.03167). It also updates the running statistics: running · momentum + batch · (1 -
 * momentum). This is ONNX's momentum, which is 1 - PyTorch's. With `unbiased`, the running variance uses the unbiased
 * variance of the batch, larger by n / (n - 1), as in PyTorch.
 */
export function batchNormTraining(
  x: Value,
  running: Statistics,
  {
    scale,
    bias,
    epsilon = 1e-5,
    momentum = 0.9,
    unbiased = false,
  }: NormOptions & { readonly momentum?: number; readonly unbiased?: boolean } = {},
): { readonly y: Value; readonly running: Statistics } {
  const axes = [0, ...spatialAxes(x)];
  const { centred, average, variance } = moments(x, axes);
  const deviation = sqrt(add(variance, epsilon));
  // One factor per channel: one pass over the batch here, and few passes in the gradient.
  const factor = div(alongChannels(scale, x) ?? 1, deviation);
  // A batch with one element has no unbiased variance. Use its biased variance, 0, instead of NaN.
  const count = elementCount(x, axes);
  const population = () => mul(variance, div(count, maximum(sub(count, 1), 1)));
  const following = (before: Value, now: Value) =>
    add(mul(before, momentum), mul(reshape(now, before.shape), 1 - momentum));
  return {
    y: affine(mul(centred, factor), undefined, alongChannels(bias, x)),
    running: {
      mean: following(running.mean, average),
      variance: following(running.variance, unbiased ? population() : variance),
    },
  };
}

/**
 * x divided by its norm along an axis; 0 where the norm is 0. https://onnx.ai/onnx/operators/onnx__LpNormalization.html
 */
export function lpNormalize(x: Value, axis = -1, p: 1 | 2 = 2): Value {
  const norm = (p === 1 ? l1Norm : l2Norm)(x, [axis], { keepdims: true });
  return div(x, where(equal(norm, 0), 1, norm));
}

export interface LocalResponseOptions {
  readonly size: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly bias?: number;
}

/**
 * x / (bias + α/size · Σ x²)^β, where the sum is over `size` neighbouring channels.
 * https://onnx.ai/onnx/operators/onnx__LRN.html
 */
export function localResponseNorm(
  x: Value,
  { size, alpha = 1e-4, beta = 0.75, bias = 1 }: LocalResponseOptions,
): Value {
  const before = Math.floor((size - 1) / 2);
  const around = x.shape.map((_, axis): [number, number] =>
    axis === 1 ? [before, size - 1 - before] : [0, 0],
  );
  const squares = pad(square(x), around);
  const shifted = Array.from({ length: size }, (_, start) =>
    slice(squares, [{ axis: 1, start, end: start + Number(x.shape[1]) }]),
  );
  return div(x, pow(add(mul(sumOf(shifted), alpha / size), bias), beta));
}
