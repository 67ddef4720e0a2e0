import { GanOnnxError, setting, text } from "../error.js";
import {
  add,
  cast,
  concat,
  constant,
  gatherOp,
  gemm,
  leakyRelu,
  mul,
  relu,
  reshape,
  split,
  sum,
  tanh,
  type Value,
  withScope,
} from "../graph/index.js";
import { sizeOf } from "../tensors/tensor.js";
import {
  type Affine,
  batchNormalized,
  doubling,
  halving,
  type Layer,
  linear,
  plain,
  spectrallyNormalized,
  uniformFanIn,
} from "./layers.js";
import type { Network, Scope } from "./network.js";

/** Options of a discriminator that the DCGAN of 2016 does not have. */
export interface DiscriminatorForm {
  /** Spectral normalization of all layers, instead of batch normalization. */
  readonly spectralNorm?: boolean;
  /** Condition on the class by a projection of the last features, instead of additional channels of the image. */
  readonly projection?: boolean;
}

export interface ConvSize {
  /** Channels of the layer nearest the image. Each halving doubles them. */
  readonly width: number;
  /** How many times the image is halved. */
  readonly depth: number;
  /** The number of classes that both networks receive as one-hot vectors. The default is none. */
  readonly classes?: number;
}

/** Channels, height and width of images. */
export interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Height and width after all halvings.
 *
 * @throws {@link GanOnnxError} when they are not divisible.
 */
export function smallest(
  { height, width }: ImageSize,
  { depth }: Pick<ConvSize, "depth">,
): readonly [number, number] {
  const factor = 2 ** depth;
  if (height % factor === 0 && width % factor === 0) return [height / factor, width / factor];
  throw new GanOnnxError({
    what: `images of ${height}x${width} cannot be halved ${depth} times`,
    where: setting("depth"),
    fix: text`lower ${setting("depth")}, or use images whose sides are multiples of ${factor} (${setting("size")})`,
    kind: "usage",
  });
}

/**
 * Classes [batch] as one-hot vectors [batch, classes], by a lookup in the identity matrix. WebGPU cannot cast int64.
 */
export function oneHot(label: Value, classes: number): Value {
  const index = label.dtype === "int64" ? label : cast(label, { to: "int32" });
  return gatherOp(identityMatrix(classes), index, { axis: 0 });
}

/**
 * The sizes of a generator that doubles its smallest image `depth` times: the number of channels at each level, halved
 * by each doubling but the last, which makes the image.
 */
export function generatorSizes(image: ImageSize, size: ConvSize) {
  const [height, width] = smallest(image, size);
  const { depth } = size;
  const channelsAt = (level: number) =>
    level === depth ? image.channels : size.width * 2 ** (depth - 1 - level);
  return { height, width, channelsAt, features: channelsAt(0) };
}

/**
 * The generator of a DCGAN (Radford et al. 2016, https://arxiv.org/abs/1511.06434): a linear layer to the smallest
 * image, then doublings. All but the last have batch normalization and ReLU; the last has tanh. Latents [batch, latent]
 * to images [batch, channels, height, width] in [-1, 1]. Classes are concatenated to the latents (Mirza and Osindero
 * 2014, https://arxiv.org/abs/1411.1784).
 */
export function convGenerator(
  latent: number,
  image: ImageSize,
  size: ConvSize,
): Network<(z: Value, label?: Value) => Value> {
  const { height, width, channelsAt, features } = generatorSizes(image, size);
  const { depth, classes = 0 } = size;
  return {
    name: "generator",
    create(scope) {
      const fc = linear(scope, "fc", latent + classes, features * height * width);
      const first = batchNormalized(scope, fc, "bn1");
      const doublings = Array.from({ length: depth }, (_, i) => {
        const layer = doubling(scope, `up${i + 1}`, channelsAt(i), channelsAt(i + 1));
        return i + 1 === depth ? plain(layer) : batchNormalized(scope, layer, `bn${i + 2}`);
      });
      return (z, label) =>
        withScope("generator", () => {
          const input = label ? concat([z, oneHot(label, classes)], 1) : z;
          const start = reshape(relu(first(input)), [z.shape[0], features, height, width]);
          return tanh(doublings.reduce((h, double, i) => double(i === 0 ? h : relu(h)), start));
        });
    },
  };
}

/**
 * The discriminator of a DCGAN: halvings with LeakyReLU 0.2, batch normalization in all but the first, then a linear
 * layer. Images [batch, channels, height, width], or flattened, to logits [batch, 1]. Each class is an additional
 * channel, which is 1 everywhere for the image's class and 0 otherwise, or is used by {@link judging}.
 */
export function convDiscriminator(
  image: ImageSize,
  size: ConvSize,
  { spectralNorm = false, projection = false }: DiscriminatorForm = {},
): Network<(x: Value, label?: Value) => Value> {
  const [height, width] = smallest(image, size);
  const { depth, classes = 0 } = size;
  const planes = projection ? 0 : classes;
  const channelsAt = (level: number) =>
    level === 0 ? image.channels + planes : size.width * 2 ** (level - 1);
  const features = channelsAt(depth) * height * width;
  return {
    name: "discriminator",
    create(scope) {
      const normed = (layer: Affine) => (spectralNorm ? spectrallyNormalized(scope, layer) : () => layer);
      const first = normed(halving(scope, "down1", channelsAt(0), channelsAt(1)));
      const further = Array.from({ length: depth - 1 }, (_, i): Layer => {
        const layer = halving(scope, `down${i + 2}`, channelsAt(i + 1), channelsAt(i + 2));
        if (!spectralNorm) return batchNormalized(scope, layer, i === 0 ? "bn" : `bn${i + 1}`);
        const once = normed(layer);
        return (x) => plain(once())(x);
      });
      const fc = normed(linear(scope, "fc", features, 1));
      const judge = judging(scope, (x) => plain(fc())(x), [features, projection ? classes : 0]);
      return (x, label) =>
        withScope("discriminator", () => {
          const batch = x.shape[0];
          const pixels = reshape(x, [batch, image.channels, image.height, image.width]);
          const halved =
            label && planes > 0
              ? withPlanes(first(), pixels, oneHot(label, classes))
              : plain(first())(pixels);
          const last = further.reduce((h, halve) => leakyRelu(halve(h), 0.2), leakyRelu(halved, 0.2));
          return judge(reshape(last, [batch, features]), label);
        });
    },
  };
}

/**
 * The logit of the last features h [batch, features]: a linear layer. With classes it adds ⟨e_y, h⟩, where each class
 * has a vector e (Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637).
 */
export function judging(
  scope: Scope,
  fc: Layer,
  [features, classes]: readonly [features: number, classes: number],
): (h: Value, label?: Value) => Value {
  if (classes === 0) return (h) => fc(h);
  const embedding = scope.parameter("embedding.weight", [classes, features], uniformFanIn(features));
  return (h, label) => {
    if (!label) return fc(h);
    // One product computes the columns of all classes; the one-hot vectors select one of them.
    const told = mul(gemm(h, embedding, { transB: true }), oneHot(label, classes));
    return add(fc(h), sum(told, [1], { keepdims: true }));
  };
}

/**
 * A layer on images with one additional channel per class, which is 1 everywhere for the image's class. The layer is
 * linear in its channels, so it is applied once to the channel of each class, and the one-hot vectors [batch, classes]
 * select the result.
 */
function withPlanes({ name, weight, bias, apply }: Affine, image: Value, classes: Value): Value {
  return withScope(name, () => {
    const [, channels, height, width] = image.shape as [string, number, number, number];
    const [batch, count] = classes.shape as [string, number];
    const [imageWeight, classWeight] = split(weight, 1, [channels, count]);
    const ones = constant("float32", [1, 1, height, width], new Float32Array(height * width).fill(1));
    const maps = apply(mul(reshape(identityMatrix(count), [count, count, 1, 1]), ones), classWeight);
    const chosen = gemm(classes, reshape(maps, [count, sizeOf(maps.shape.slice(1) as number[])]));
    return add(apply(image, imageWeight, bias), reshape(chosen, [batch, ...maps.shape.slice(1)]));
  });
}

/** The identity matrix. */
export function identityMatrix(rows: number): Value {
  const data = Float32Array.from({ length: rows * rows }, (_, i) => +(i % (rows + 1) === 0));
  return constant("float32", [rows, rows], data);
}
