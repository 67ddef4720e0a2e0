import { add, div, minimum, mul, sqrt, square, sum, type Value } from "../../graph/index.js";
import type { Transformation } from "./transformation.js";

/**
 * Limit the norm of the gradients over all parameters of the network to `most`: each is multiplied by min(1, most /
 * (‖g‖ + 1e-6)), as in torch.nn.utils.clip_grad_norm_ (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063). It must
 * be first in a chain, because the norm is that of the loss's gradients.
 */
export function clippedByGlobalNorm(most: number): Transformation {
  return {
    slots: () => ({}),
    update(gradient, _, { gradients }) {
      const squares = gradients.map((g) => sum(square(g))).reduce((total, one) => add(total, one));
      return { update: mul(gradient, minimum(div(most, add(sqrt(squares), 1e-6)), 1)), slots: {} };
    },
  };
}

/** Weight decay as an L2 penalty in the loss, λ/2·‖p‖²: g + λ·p. */
export function plusDecay(decay: number): Transformation {
  return {
    slots: () => ({}),
    update: (gradient, { parameters }) => ({ update: add(gradient, mul(parameters, decay)), slots: {} }),
  };
}

/**
 * Decoupled weight decay: update + η·λ·p, after the update has been scaled by the learning rate η (Loshchilov and
 * Hutter 2019, https://arxiv.org/abs/1711.05101).
 */
export function plusDecoupledDecay(decay: number, learningRate: number): Transformation {
  return {
    slots: () => ({}),
    update: (update, { parameters }, { factor }) => ({
      update: add(update, mul(parameters, scaledRate(factor, learningRate * decay))),
      slots: {},
    }),
  };
}

/** Momentum as in torch.optim.SGD: b ← μ·b + g. The update is b, or g + μ·b with Nesterov momentum. */
export function withMomentum(momentum: number, { nesterov = false } = {}): Transformation {
  return {
    slots: (size) => ({ momentum_buffer: [size] }),
    update(gradient, { slots }) {
      const buffer = add(mul(slots.momentum_buffer, momentum), gradient);
      return {
        update: nesterov ? add(gradient, mul(buffer, momentum)) : buffer,
        slots: { momentum_buffer: buffer },
      };
    },
  };
}

/** g / (√v + ε), with v ← α·v + (1-α)·g²: RMSprop (Tieleman and Hinton 2012), as computed by torch.optim.RMSprop. */
export function scaledByRootMeanSquare({
  alpha,
  epsilon,
}: {
  alpha: number;
  epsilon: number;
}): Transformation {
  return {
    slots: (size) => ({ square_average: [size] }),
    update(gradient, { slots }) {
      const average = add(mul(slots.square_average, alpha), mul(square(gradient), 1 - alpha));
      return {
        update: div(gradient, add(sqrt(average), epsilon)),
        slots: { square_average: average },
      };
    },
  };
}

/** Multiply the update by the learning rate. */
export function scaledByRate(learningRate: number): Transformation {
  return {
    slots: () => ({}),
    update: (update, _, { factor }) => ({ update: mul(update, scaledRate(factor, learningRate)), slots: {} }),
  };
}

function scaledRate(factor: Value | 1, learningRate: number): Value | number {
  return factor === 1 ? learningRate : mul(factor, learningRate);
}
