import { add, concat, leakyRelu, reshape, tanh, type Value, withScope } from "../graph/index.js";
import { type ConvSize, generatorSizes, type ImageSize, judging, oneHot, smallest } from "./conv.js";
import { convolution, doubling, halving, heStart, type Layer, linear, plain, zeroStart } from "./layers.js";
import type { Network, Scope } from "./network.js";

// Convolutional networks without normalization. A discriminator with a gradient penalty must not use statistics of its
// batch. Residual blocks that start as the identity need no normalization (Fixup: Zhang, Dauphin and Ma 2019,
// https://arxiv.org/abs/1901.09321; in GANs: Huang et al. 2024, https://arxiv.org/abs/2501.05441, section 3).

const SLOPE = 0.2;
const activation: Layer = (x) => leakyRelu(x, SLOPE);

/**
 * x + W₂·a(W₁·a(x)), 3x3 and 1x1, on [batch, channels, h, w]. W₂ is initially zero: the block starts as the identity.
 */
function residual(scope: Scope, name: string, channels: number): Layer {
  const both = [channels, channels] as const;
  const first = plain(
    convolution(
      scope,
      `${name}.conv1`,
      both,
      { kernel: 3, stride: 1, padding: 1 },
      heStart(9 * channels, SLOPE),
    ),
  );
  const second = plain(
    convolution(scope, `${name}.conv2`, both, { kernel: 1, stride: 1, padding: 0 }, zeroStart),
  );
  return (x) => add(x, second(activation(first(activation(x)))));
}

const blocksOf = (scope: Scope, count: number, channels: number): Layer => {
  const blocks = Array.from({ length: count }, (_, i) => residual(scope, `block${i + 1}`, channels));
  return (x) => blocks.reduce((h, block) => block(h), x);
};

export interface ResidualSize extends ConvSize {
  /** The number of residual blocks at the smallest image size. */
  readonly blocks: number;
}

/**
 * Latents [batch, latent] to images [batch, channels, height, width] in [-1, 1]: a linear layer to the smallest image,
 * residual blocks, doublings with LeakyReLU 0.2 before each, tanh. Classes are concatenated to the latents.
 */
export function residualGenerator(
  latent: number,
  image: ImageSize,
  size: ResidualSize,
): Network<(z: Value, label?: Value) => Value> {
  const { height, width, channelsAt, features } = generatorSizes(image, size);
  const { depth, blocks, classes = 0 } = size;
  return {
    name: "generator",
    create(scope) {
      const inputs = latent + classes;
      const fc = plain(linear(scope, "fc", inputs, features * height * width, heStart(inputs, 1)));
      const middle = blocksOf(scope, blocks, features);
      // Four of the 16 taps of a doubling contribute to each pixel.
      const doublings = Array.from({ length: depth }, (_, i) => {
        const start = heStart(channelsAt(i) * 4, SLOPE);
        return plain(doubling(scope, `up${i + 1}`, channelsAt(i), channelsAt(i + 1), start));
      });
      return (z, label) =>
        withScope("generator", () => {
          const input = label ? concat([z, oneHot(label, classes)], 1) : z;
          const start = middle(reshape(fc(input), [z.shape[0], features, height, width]));
          return tanh(doublings.reduce((h, double) => double(activation(h)), start));
        });
    },
  };
}

/**
 * Images [batch, channels, height, width], or flattened, to logits [batch, 1]: halvings with LeakyReLU 0.2 between
 * them, residual blocks, a linear layer. Classes are used by {@link judging}.
 */
export function residualDiscriminator(
  image: ImageSize,
  size: ResidualSize,
): Network<(x: Value, label?: Value) => Value> {
  const [height, width] = smallest(image, size);
  const { depth, blocks, classes = 0 } = size;
  const channelsAt = (level: number) => (level === 0 ? image.channels : size.width * 2 ** (level - 1));
  const features = channelsAt(depth) * height * width;
  return {
    name: "discriminator",
    create(scope) {
      const halvings = Array.from({ length: depth }, (_, i) => {
        const start = heStart(channelsAt(i) * 16, i === 0 ? 1 : SLOPE);
        return plain(halving(scope, `down${i + 1}`, channelsAt(i), channelsAt(i + 1), start));
      });
      const middle = blocksOf(scope, blocks, channelsAt(depth));
      const fc = plain(linear(scope, "fc", features, 1));
      const judge = judging(scope, fc, [features, classes]);
      return (x, label) =>
        withScope("discriminator", () => {
          const batch = x.shape[0];
          const pixels = reshape(x, [batch, image.channels, image.height, image.width]);
          const halved = halvings.reduce((h, halve, i) => halve(i === 0 ? h : activation(h)), pixels);
          return judge(reshape(activation(middle(halved)), [batch, features]), label);
        });
    },
  };
}
