import {
  add,
  clip,
  concat,
  gemm,
  leakyRelu,
  mul,
  onesLike,
  reshape,
  split,
  sum,
  swish,
  tanh,
  type Value,
  withScope,
} from "../graph/index.js";
import { type ImageSize, oneHot, smallest } from "./conv.js";
import { type GaussianMixture, gaussianMixture } from "./gaussian-mixture.js";
import { doubling, halving, type Layer, linear, plain, uniformFanIn } from "./layers.js";
import type { Network, Scope } from "./network.js";

/** The size of an autoencoder of images. */
export interface AutoencoderSize {
  /** Channels of the layer nearest the image. The second layer has twice as many. */
  readonly width: number;
  /** The size of a code. */
  readonly latent: number;
  /** The number of classes; 1 without classes. */
  readonly classes: number;
}

export interface VaeGanSize extends AutoencoderSize {
  /** The number of components of the prior per class. */
  readonly components: number;
}

/** Images [batch, pixels] and their classes [batch] to mean and log variance of their codes, [batch, latent] each. */
export type Encode = (x: Value, label?: Value) => { readonly mu: Value; readonly logVariance: Value };

/** Codes [batch, latent] and classes [batch] to images [batch, pixels] in [-1, 1]. */
export type Decode = (code: Value, label?: Value) => Value;

/**
 * Images [batch, pixels], or with axes, and their classes [batch] to logits [batch, 1] of being real. With an auxiliary
 * classifier also to logits of the classes, [batch, classes], which do not depend on the given classes.
 */
export type Discriminate = (x: Value, label?: Value) => { readonly real: Value; readonly classes?: Value };

export interface Generate {
  readonly decode: Decode;
  /** The distribution of the codes. Its classes are those of {@link Generate.chosen}. */
  readonly prior: GaussianMixture;
  /** Classes [batch] as one-hot vectors, one for each row of a value; all ones if there is only one class. */
  chosen(label: Value | undefined, like: Value): Value;
}

/** How many times images are halved and doubled. */
const DEPTH = 2;

/** Concatenate values with the class of each row, if there are classes. */
function told(x: Value, label: Value | undefined, classes: number): Value {
  return label ? concat([x, oneHot(label, classes)], 1) : x;
}

const toldSize = ({ classes }: AutoencoderSize) => (classes > 1 ? classes : 0);

/** Images [batch, pixels], or with axes, to features [batch, 2·width·h·w]: two halvings, an activation after each. */
function halvedTwice(scope: Scope, image: ImageSize, width: number, activation: Layer): Layer {
  const [height, across] = smallest(image, { depth: DEPTH });
  const down1 = plain(halving(scope, "down1", image.channels, width));
  const down2 = plain(halving(scope, "down2", width, 2 * width));
  return (x) => {
    const batch = x.shape[0];
    const pixels = reshape(x, [batch, image.channels, image.height, image.width]);
    return reshape(activation(down2(activation(down1(pixels)))), [batch, 2 * width * height * across]);
  };
}

/**
 * The encoder of a conditional VAE: two halvings (kernel 4, stride 2), SiLU, and a linear layer that also gets the
 * class.
 */
export function convEncoder(image: ImageSize, size: AutoencoderSize): Network<Encode> {
  const { width, latent, classes } = size;
  const [height, across] = smallest(image, { depth: DEPTH });
  const features = 2 * width * height * across;
  return {
    name: "encoder",
    create(scope) {
      const halved = halvedTwice(scope, image, width, (h) => swish(h));
      const code = plain(linear(scope, "code", features + toldSize(size), 2 * latent));
      return (x, label) =>
        withScope("encoder", () => {
          const [mu, logVariance] = split(code(told(halved(x), label, classes)), 1, 2);
          return { mu, logVariance: clip(logVariance, -12, 4) };
        });
    },
  };
}

/** The decoder of a conditional VAE, with two doublings: the inverse of {@link convEncoder}. */
export function convDecoder(scope: Scope, image: ImageSize, size: AutoencoderSize): Decode {
  const { width, latent, classes } = size;
  const [height, across] = smallest(image, { depth: DEPTH });
  const fc = plain(linear(scope, "fc", latent + toldSize(size), 2 * width * height * across));
  const up1 = plain(doubling(scope, "up1", 2 * width, width));
  const up2 = plain(doubling(scope, "up2", width, image.channels));
  return (code, label) =>
    withScope("generator", () => {
      const batch = code.shape[0];
      const start = reshape(swish(fc(told(code, label, classes))), [batch, 2 * width, height, across]);
      return reshape(tanh(up2(swish(up1(start)))), [batch, image.channels * image.height * image.width]);
    });
}

/** The decoder of a conditional VAE, and the prior of its codes. */
export function priorAndDecoder(image: ImageSize, size: VaeGanSize): Network<Generate> {
  const { latent, classes, components } = size;
  return {
    name: "generator",
    create(scope) {
      return {
        decode: convDecoder(scope, image, size),
        prior: gaussianMixture(scope, "prior", { classes, components, latent }),
        chosen: (label, like) =>
          label ? oneHot(label, classes) : onesLike(sum(like, [1], { keepdims: true })),
      };
    },
  };
}

/**
 * A discriminator without normalization: two halvings with LeakyReLU 0.2 and a linear layer, plus the product with the
 * class's embedding (Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637).
 *
 * @param classifies whether it has an auxiliary classifier (AC-GAN, Odena et al. 2017,
 * https://arxiv.org/abs/1610.09585): a second linear layer, from the same features to the classes.
 */
export function projectionDiscriminator(
  image: ImageSize,
  size: Pick<AutoencoderSize, "width" | "classes">,
  classifies = false,
): Network<Discriminate> {
  const { width, classes } = size;
  const [height, across] = smallest(image, { depth: DEPTH });
  const features = 2 * width * height * across;
  return {
    name: "discriminator",
    create(scope) {
      const halved = halvedTwice(scope, image, width, (h) => leakyRelu(h, 0.2));
      const fc = plain(linear(scope, "fc", features, 1));
      const embedding =
        classes > 1 ? scope.parameter("embedding", [classes, features], uniformFanIn(features)) : undefined;
      const auxiliary = classifies ? plain(linear(scope, "classifier", features, classes)) : undefined;
      return (x, label) =>
        withScope("discriminator", () => {
          const seen = halved(x);
          const logits = fc(seen);
          const known = auxiliary && { classes: auxiliary(seen) };
          if (!label || !embedding) return { real: logits, ...known };
          const projected = mul(seen, gemm(oneHot(label, classes), embedding));
          return { real: add(logits, sum(projected, [1], { keepdims: true })), ...known };
        });
    },
  };
}
