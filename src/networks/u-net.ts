import { GanOnnxError, setting, text } from "../error.js";
import {
  add,
  concat,
  constant,
  cos,
  depthToSpace,
  gemm,
  mul,
  reshape,
  sin,
  spaceToDepth,
  split,
  swish,
  type Value,
  withScope,
} from "../graph/index.js";
import { type ImageSize, oneHot } from "./conv.js";
import { type Affine, convolution, heStart, linear, plain, zeroStart } from "./layers.js";
import type { Network, Scope } from "./network.js";

/**
 * Images [batch, pixels], times t ([batch, 1], or [1, 1] for one common time) and classes [batch], if there are any, to
 * predictions [batch, pixels].
 */
export type AtTimes = (x: Value, t: Value, label?: Value) => Value;

export interface UNetSize {
  /** Channels at half of the image's height and width. There are twice as many at a quarter. */
  readonly width: number;
  /** The number of residual blocks at each size. */
  readonly blocks: number;
  readonly classes?: number;
}

/** The side of a block of pixels that is moved to the channels. */
const BLOCK = 2;
/** The number of frequencies of the time embedding. */
const FREQUENCIES = 16;

/**
 * cos and sin of t·ωᵢ, with ω from 1 to 100 in a geometric sequence (Vaswani et al. 2017,
 * https://arxiv.org/abs/1706.03762, 3.5): [n, 1] to [n, 32].
 */
function waves(t: Value): Value {
  const omega = Float32Array.from({ length: FREQUENCIES }, (_, i) => 100 ** (i / (FREQUENCIES - 1)));
  const angles = gemm(t, constant("float32", [1, FREQUENCIES], omega));
  return concat([cos(angles), sin(angles)], 1);
}

/**
 * The embedding of times and classes: t, [batch, 1] or [1, 1], and classes [batch], if there are any, to [batch, size]
 * or [1, size].
 */
export function timeAndClass(
  scope: Scope,
  { classes, size }: { readonly classes: number; readonly size: number },
): (t: Value, label?: Value) => Value {
  const time = plain(linear(scope, "time", 2 * FREQUENCIES, size));
  const named = classes > 0 ? plain(linear(scope, "class", classes, size)) : undefined;
  const hidden = plain(linear(scope, "hidden", size, size));
  return (t, label) => {
    const when = time(waves(t));
    return swish(hidden(swish(label && named ? add(when, named(oneHot(label, classes))) : when)));
  };
}

const [SAME, POINT] = [
  { kernel: 3, stride: 1, padding: 1 },
  { kernel: 1, stride: 1, padding: 0 },
] as const;

/**
 * x + W₂·a(s·(W₁·a(x)) + b) with 3x3 convolutions and a = SiLU. Time and class determine the scale s = 1 + … and the
 * shift b of each channel (Perez et al. 2018, https://arxiv.org/abs/1709.07871). W₂ is initially zero, so the block
 * starts as the identity and needs no normalization.
 */
function block(scope: Scope, name: string, channels: number, embedding: number) {
  const both = [channels, channels] as const;
  const first = plain(convolution(scope, `${name}.conv1`, both, SAME, heStart(9 * channels, 0)));
  const told = plain(linear(scope, `${name}.told`, embedding, 2 * channels, zeroStart));
  const second = plain(convolution(scope, `${name}.conv2`, both, SAME, zeroStart));
  return (x: Value, e: Value): Value => {
    const [scale, shift] = split(told(e), 1, 2).map((part) => reshape(part, [...part.shape, 1, 1]));
    return add(x, second(swish(add(mul(first(swish(x)), add(scale, 1)), shift))));
  };
}

/**
 * A U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597) with two sizes, conditioned on time and class.
 * Blocks of 2x2 pixels are moved to the channels, which makes it four times cheaper. It has residual blocks at that
 * size, at half of it, and again at that size, where the results of the first blocks are added.
 *
 * @throws {@link GanOnnxError} (usage) when a side of the image is not a multiple of 4.
 */
export function uNet(image: ImageSize, { width, blocks, classes = 0 }: UNetSize): Network<AtTimes> {
  const { channels, height, width: across } = image;
  if (height % (2 * BLOCK) !== 0 || across % (2 * BLOCK) !== 0) {
    throw new GanOnnxError({
      what: `images of ${height}x${across} cannot be halved twice`,
      where: "the U-Net",
      fix: text`use images whose sides are multiples of 4 (${setting("size")})`,
      kind: "usage",
    });
  }
  const [depth, deep] = [channels * BLOCK ** 2, 2 * width];
  const embedding = 2 * deep;
  return {
    name: "flow",
    create(scope) {
      const embedded = timeAndClass(scope, { classes, size: embedding });
      const stage = (name: string, features: number) => {
        const all = Array.from({ length: blocks }, (_, i) =>
          block(scope, `${name}${i + 1}`, features, embedding),
        );
        return (x: Value, e: Value) => all.reduce((h, one) => one(h, e), x);
      };
      const convolved = (name: string, from: number, to: number, window: typeof SAME | typeof POINT) =>
        convolution(scope, name, [from, to], window, heStart(from * window.kernel ** 2, 1));
      const enter = plain(convolved("in", depth, width, SAME));
      const before = stage("before", width);
      const down = plain(convolved("down", width * BLOCK ** 2, deep, POINT));
      const middle = stage("middle", deep);
      const up = plain(convolved("up", deep, width * BLOCK ** 2, POINT));
      const after = stage("after", width);
      const leave: Affine = convolution(scope, "out", [width, depth], POINT, zeroStart);
      return (x, t, label) =>
        withScope("flow", () => {
          const [batch, pixels] = x.shape;
          const e = embedded(t, label);
          const small = spaceToDepth(reshape(x, [batch, channels, height, across]), BLOCK);
          const first = before(enter(small), e);
          const deepest = middle(down(spaceToDepth(first, BLOCK)), e);
          const last = after(add(depthToSpace(up(deepest), BLOCK), first), e);
          const image = depthToSpace(plain(leave)(swish(last)), BLOCK);
          return reshape(image, [batch, pixels]);
        });
    },
  };
}
