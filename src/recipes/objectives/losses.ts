import { add, mean, mul, neg, relu, sigmoid, softplus, square, sub, type Value } from "../../graph/index.js";

/**
 * A loss of the two-player game, computed from the discriminator's output a, [batch, 1]. `target` is 1, or less with
 * one-sided label smoothing.
 */
export interface AdversarialLoss {
  /** The loss of the discriminator. */
  discriminator(real: Value, fake: Value, target: number): Value;
  /** The loss of the generator. */
  generator(fake: Value): Value;
  /** The discriminator's opinion of an image, for metrics: a probability, or a itself. */
  opinion(a: Value): Value;
  /** Whether the opinion is a probability. */
  readonly probability: boolean;
  /** Whether the target of real images can be less than 1. */
  readonly smoothable: boolean;
}

/** Binary cross-entropy from logits, -t·ln σ(a) - (1 - t)·ln(1 - σ(a)), by -ln σ(a) = softplus(-a). */
function crossEntropy(a: Value, target: number): Value {
  if (target === 1) return mean(softplus(neg(a)));
  if (target === 0) return mean(softplus(a));
  return add(mul(crossEntropy(a, 1), target), mul(crossEntropy(a, 0), 1 - target));
}

const minimax = {
  discriminator: (real: Value, fake: Value, target: number) =>
    add(crossEntropy(real, target), crossEntropy(fake, 0)),
  opinion: (a: Value) => sigmoid(a),
  probability: true,
  smoothable: true,
};

/** All losses, by their name on the command line. */
export const losses = {
  /** Goodfellow et al. 2014 (https://arxiv.org/abs/1406.2661), the non-saturating form: G minimizes -ln D(G(z)). */
  bce: { ...minimax, generator: (fake) => crossEntropy(fake, 1) },
  /** The minimax game of the same paper: G minimizes ln(1 - D(G(z))). */
  saturating: { ...minimax, generator: (fake) => neg(crossEntropy(fake, 0)) },
  /** Least squares, Mao et al. 2017 (https://arxiv.org/abs/1611.04076), with a = 0, b = c = 1 in its equation 9. */
  lsgan: {
    discriminator: (real, fake, target) => mul(add(mean(square(sub(real, target))), mean(square(fake))), 0.5),
    generator: (fake) => mul(mean(square(sub(fake, 1))), 0.5),
    opinion: (a) => a,
    probability: false,
    smoothable: true,
  },
  /** Hinge, Lim and Ye 2017 (https://arxiv.org/abs/1705.02894). */
  hinge: {
    discriminator: (real, fake) => add(mean(relu(sub(1, real))), mean(relu(add(fake, 1)))),
    generator: (fake) => neg(mean(fake)),
    opinion: (a) => a,
    probability: false,
    smoothable: false,
  },
} satisfies Record<string, AdversarialLoss>;

export type LossName = keyof typeof losses;
export const lossNames = Object.keys(losses) as LossName[];
