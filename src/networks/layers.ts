import {
  add,
  conv2d,
  convTranspose2d,
  div,
  elementCount,
  gemm,
  maximum,
  mean,
  mul,
  reshape,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Value,
  withScope,
} from "../graph/index.js";
import { sizeOf } from "../tensors/tensor.js";
import type { Initializer, Scope } from "./network.js";

export type Layer = (x: Value) => Value;

/** A linear layer with an optional bias. A normalization layer can be folded into it. */
export interface Affine {
  readonly name: string;
  readonly weight: Value;
  readonly bias: Value;
  /** The axis of the weight for output features (or channels). */
  readonly outAxis: number;
  readonly features: number;
  apply(x: Value, weight: Value, bias?: Value): Value;
}

/**
 * PyTorch's default for the weights and biases of linear and convolutional layers: uniform ±1/√fan_in. (Its
 * `kaiming_uniform_` with a = √5 is equal to that: https://github.com/pytorch/pytorch/issues/57109.)
 */
export function uniformFanIn(fanIn: number): Initializer {
  return { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
}

/** The initialization of a layer's weights and bias. */
export interface Start {
  readonly weight: Initializer;
  readonly bias: Initializer;
}

/** PyTorch's default, {@link uniformFanIn} for both. */
function torchStart(fanIn: number): Start {
  return { weight: uniformFanIn(fanIn), bias: uniformFanIn(fanIn) };
}

const ZERO: Initializer = { kind: "constant", value: 0 };

/** All zero: the layer returns 0 until it is trained. */
export const zeroStart: Start = { weight: ZERO, bias: ZERO };

/**
 * Weights that keep the variance through a preceding LeakyReLU with slope a and the layer: uniform ±√(6 / ((1 +
 * a²)·fan_in)). The bias is 0 (He et al. 2015, https://arxiv.org/abs/1502.01852, section 2.2).
 */
export function heStart(fanIn: number, slope: number): Start {
  return { weight: { kind: "uniform", bound: Math.sqrt(6 / ((1 + slope ** 2) * fanIn)) }, bias: ZERO };
}

/** x·Wᵀ + b: [batch, inFeatures] to [batch, features]. W has PyTorch's layout, [features, inFeatures]. */
export function linear(
  scope: Scope,
  name: string,
  inFeatures: number,
  features: number,
  start: Start = torchStart(inFeatures),
): Affine {
  return {
    name,
    weight: scope.parameter(`${name}.weight`, [features, inFeatures], start.weight),
    bias: scope.parameter(`${name}.bias`, [features], start.bias),
    outAxis: 0,
    features,
    apply: (x, weight, bias) => gemm(x, weight, { c: bias, transB: true }),
  };
}

/** The convolutions of a DCGAN that halve and double images: kernel 4, stride 2, padding 1. */
const HALVING = { kernel: 4, stride: 2, padding: 1 } as const;

/** The extents of a convolution: square, equal in both directions. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** torch.nn.Conv2d: [batch, channels, h, w] to [batch, features, h', w']. */
export function convolution(
  scope: Scope,
  name: string,
  [channels, features]: readonly [channels: number, features: number],
  { kernel, stride, padding }: Window,
  start: Start = torchStart(channels * kernel * kernel),
): Affine {
  return {
    name,
    weight: scope.parameter(`${name}.weight`, [features, channels, kernel, kernel], start.weight),
    bias: scope.parameter(`${name}.bias`, [features], start.bias),
    outAxis: 0,
    features,
    apply: (x, weight, bias) => conv2d(x, weight, { bias, stride, padding }),
  };
}

/** torch.nn.Conv2d with kernel 4, stride 2, padding 1: [batch, channels, h, w] to [batch, features, h/2, w/2]. */
export function halving(
  scope: Scope,
  name: string,
  channels: number,
  features: number,
  start?: Start,
): Affine {
  return convolution(scope, name, [channels, features], HALVING, start);
}

/**
 * torch.nn.ConvTranspose2d with kernel 4, stride 2, padding 1: [batch, channels, h, w] to [batch, features, 2h, 2w].
 * PyTorch computes fan_in from the weight's second axis, the output's.
 */
export function doubling(
  scope: Scope,
  name: string,
  channels: number,
  features: number,
  start: Start = torchStart(features * HALVING.kernel ** 2),
): Affine {
  const { kernel, stride, padding } = HALVING;
  return {
    name,
    weight: scope.parameter(`${name}.weight`, [channels, features, kernel, kernel], start.weight),
    bias: scope.parameter(`${name}.bias`, [features], start.bias),
    outAxis: 1,
    features,
    apply: (x, weight, bias) => convTranspose2d(x, weight, { bias, stride, padding }),
  };
}

/** An affine layer without normalization. */
export function plain({ name, weight, bias, apply }: Affine): Layer {
  return (x) => withScope(name, () => apply(x, weight, bias));
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** Reshape a value per feature, [features], to broadcast along axis 1 of a value with the given rank. */
function alongFeatures(values: Value, rank: number): Value {
  return reshape(values, [1, ...values.shape, ...Array<number>(rank - 2).fill(1)]);
}

/**
 * An affine layer followed by batch normalization (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167), as
 * computed by torch.nn.BatchNorm1d and 2d: y = (x - μ) / √(σ² + 1e-5) · γ + β, over all axes except features.
 *
 * In training, μ and σ² are those of the batch, and the running statistics follow them with momentum 0.1 or that of the
 * scope (with the unbiased variance, larger by n / (n - 1)). In inference, the running statistics are used and folded
 * into the layer, which is exact because both are affine.
 */
export function batchNormalized(scope: Scope, layer: Affine, name: string): Layer {
  const { features } = layer;
  const gamma = scope.parameter(`${name}.weight`, [features], { kind: "constant", value: 1 });
  const beta = scope.parameter(`${name}.bias`, [features], { kind: "constant", value: 0 });
  const runningMean = scope.buffer(`${name}.running_mean`, [features], { kind: "constant", value: 0 });
  const runningVariance = scope.buffer(`${name}.running_var`, [features], { kind: "constant", value: 1 });

  if (!scope.training) {
    const scale = () => div(gamma, sqrt(add(runningVariance.read(), EPSILON)));
    const weight = scope.derived(layer.name.concat(".weight"), () => {
      const shape = layer.weight.shape.map((_, axis) => (axis === layer.outAxis ? features : 1));
      return mul(layer.weight, reshape(scale(), shape));
    });
    const bias = scope.derived(layer.name.concat(".bias"), () =>
      add(mul(sub(layer.bias, runningMean.read()), scale()), beta),
    );
    return plain({ ...layer, weight, bias });
  }

  const { momentum = MOMENTUM } = scope;
  return (input) => {
    // Subtracting the mean removes the layer's bias: it changes only the running mean, and its gradient is 0. If the
    // bias were added here, its computed gradient would be rounding errors, which Adam would amplify.
    const x = withScope(layer.name, () => layer.apply(input, layer.weight));
    return withScope(name, () => {
      const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
      const batchMean = mean(x, axes, { keepdims: true });
      const centred = sub(x, batchMean);
      const variance = mean(square(centred), axes, { keepdims: true });
      const count = elementCount(x, axes);
      const follow = (running: Value, news: Value) =>
        add(mul(running, 1 - momentum), mul(reshape(news, [features]), momentum));
      runningMean.write(follow(runningMean.read(), add(reshape(batchMean, [features]), layer.bias)));
      // A batch of one has no unbiased variance (PyTorch refuses it). Use its biased variance, 0, instead of NaN.
      const unbiased = mul(variance, div(count, maximum(sub(count, 1), 1)));
      runningVariance.write(follow(runningVariance.read(), unbiased));
      // One factor per feature: one pass over the batch here, and few passes in the gradient.
      const rank = x.shape.length;
      const factor = div(alongFeatures(gamma, rank), sqrt(add(variance, EPSILON)));
      return add(mul(centred, factor), alongFeatures(beta, rank));
    });
  };
}

/**
 * An affine layer with weights of spectral norm 1 (Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1),
 * as computed by torch.nn.utils.spectral_norm: the weights, as a matrix with one row per feature, are divided by σ =
 * uᵀWv. Each call runs one power iteration, so u and v follow the largest singular value. u and v are constants in
 * gradients.
 *
 * @returns the layer for one call.
 */
export function spectrallyNormalized(scope: Scope, layer: Affine): () => Affine {
  const { name, weight, features } = layer;
  const buffer = scope.buffer(`${name}.weight_u`, [features], { kind: "uniform", bound: 1 });
  const rest = sizeOf(weight.shape as readonly number[]) / features;
  return () =>
    withScope(name, () => {
      const matrix = reshape(weight, [features, rest]);
      const fixed = stopGradient(matrix);
      const v = unit(gemm(reshape(buffer.read(), [1, features]), fixed));
      const u = unit(gemm(v, fixed, { transB: true }));
      buffer.write(reshape(u, [features]));
      const sigma = sum(mul(gemm(v, matrix, { transB: true }), u));
      return { ...layer, weight: div(weight, sigma) };
    });
}

/** Normalize a row to length 1. */
function unit(row: Value): Value {
  return div(row, maximum(sqrt(sum(square(row))), 1e-12));
}
