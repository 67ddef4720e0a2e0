import {
  add,
  concat,
  div,
  layerNorm,
  mul,
  split,
  sqrt,
  square,
  sub,
  sum,
  swish,
  type Value,
  withScope,
} from "../graph/index.js";
import type { ImageSize } from "./conv.js";
import { heStart, linear, plain, zeroStart } from "./layers.js";
import { type Network, type Scope, within } from "./network.js";
import { type AtTimes, timeAndClass } from "./u-net.js";
import { type AutoencoderSize, convDecoder, type Decode } from "./vae-gan.js";

export interface LatentFlowSize extends AutoencoderSize {
  /** Neurons per hidden layer of the flow. */
  readonly neurons: number;
  /** The number of residual blocks of the flow. */
  readonly blocks: number;
}

/** The mean and standard deviation of each number of a code, over all codes so far. */
export interface Standardization {
  /** Add codes [batch, latent] to the statistics. */
  observe(codes: Value): void;
  /** Codes to codes with mean 0 and variance 1. */
  apply(codes: Value): Value;
  /** The inverse of `apply`. */
  invert(standardized: Value): Value;
}

/** A generator of codes and a decoder. */
export interface LatentFlow {
  readonly decode: Decode;
  /** The velocity of standardized codes [batch, latent]. */
  readonly flow: AtTimes;
  readonly standard: Standardization;
}

/**
 * x + W₂·a(W₁·(s·n(x) + b)) with a = SiLU and n the layer normalization. Time and class determine the scale s = 1 + …
 * and the shift b of each neuron (Perez et al. 2018, https://arxiv.org/abs/1709.07871). W₂ is initially zero, so the
 * block starts as the identity.
 */
function block(scope: Scope, name: string, neurons: number) {
  const told = plain(linear(scope, `${name}.told`, neurons, 2 * neurons, zeroStart));
  const first = plain(linear(scope, `${name}.fc1`, neurons, neurons, heStart(neurons, 1)));
  const second = plain(linear(scope, `${name}.fc2`, neurons, neurons, zeroStart));
  return (x: Value, e: Value): Value => {
    const [scale, shift] = split(told(e), 1, 2);
    return add(x, second(swish(first(add(mul(layerNorm(x), add(scale, 1)), shift)))));
  };
}

/** A residual multilayer perceptron on vectors of size `latent`, conditioned on time and class. */
function residualMlp(scope: Scope, { latent, neurons, blocks, classes }: LatentFlowSize): AtTimes {
  const embedded = timeAndClass(scope, { classes: classes > 1 ? classes : 0, size: neurons });
  const enter = plain(linear(scope, "in", latent, neurons, heStart(latent, 1)));
  const all = Array.from({ length: blocks }, (_, i) => block(scope, `block${i + 1}`, neurons));
  const leave = plain(linear(scope, "out", neurons, latent, zeroStart));
  return (x, t, label) =>
    withScope("flow", () => {
      const e = embedded(t, label);
      return leave(layerNorm(all.reduce((h, one) => one(h, e), enter(x))));
    });
}

/** Buffers that start as the statistics of one code with mean 0 and variance 1. */
function standardization(scope: Scope, name: string, latent: number): Standardization {
  const buffer = (part: string, shape: readonly number[], value: number) =>
    scope.buffer(`${name}.${part}`, shape, { kind: "constant", value });
  const count = buffer("count", [], 1);
  const sums = buffer("sums", [latent], 0);
  const squares = buffer("squares", [latent], 1);
  const moments = () => {
    const mean = div(sums.read(), count.read());
    return { mean, deviation: sqrt(sub(div(squares.read(), count.read()), square(mean))) };
  };
  return {
    observe: (codes) =>
      withScope(name, () => {
        const ones = add(mul(sum(codes, [1]), 0), 1);
        count.write(add(count.read(), sum(ones)));
        sums.write(add(sums.read(), sum(codes, [0])));
        squares.write(add(squares.read(), sum(square(codes), [0])));
      }),
    apply: (codes) =>
      withScope(name, () => {
        const { mean, deviation } = moments();
        return div(sub(codes, mean), deviation);
      }),
    invert: (standardized) =>
      withScope(name, () => {
        const { mean, deviation } = moments();
        return add(mul(standardized, deviation), mean);
      }),
  };
}

/** The decoder of a conditional VAE, and the flow of its standardized codes. */
export function flowAndDecoder(image: ImageSize, size: LatentFlowSize): Network<LatentFlow> {
  return {
    name: "generator",
    create: (scope) => ({
      decode: convDecoder(within(scope, "decoder"), image, size),
      flow: residualMlp(within(scope, "flow"), size),
      standard: standardization(scope, "codes", size.latent),
    }),
  };
}

/** Repeat the rows of a value: [batch, …] to [times·batch, …]. */
export function repeatedRows(x: Value, times: number): Value {
  return times === 1 ? x : concat(Array<Value>(times).fill(x), 0);
}
