import {
  add,
  gradients,
  greater,
  mean,
  mul,
  neg,
  sqrt,
  square,
  sub,
  sum,
  type Value,
  where,
} from "../../graph/index.js";
import type { Phase } from "../design.js";
import { type TwoPlayers, toSigned } from "./gan.js";

/**
 * The Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, algorithm 1). The
 * discriminator's output is the critic's score, without an activation:
 *
 *     critic: mean D(G(z)) - mean D(x) + λ · mean (‖∇D(mix)‖₂ - 1)²     with mix = ε·x + (1 - ε)·G(z)
 *     generator: -mean D(G(z))
 *
 * The gradient in the penalty is part of the graph, and differentiating the loss differentiates it again.
 */
export function wassersteinWithPenalty(
  pixels: number,
  { latent, critics, lambda }: { latent: number; critics: number; lambda: number },
): readonly Phase<TwoPlayers>[] {
  const noise = { role: "normal", shape: [latent] } as const;
  return [
    {
      updates: "discriminator",
      repeats: critics,
      inputs: {
        x: { role: "images", shape: [pixels] },
        z_d: noise,
        eps: { role: "uniform", shape: [1] },
      },
      trace({ generator, discriminator }, { x, z_d, eps }) {
        const real = toSigned(x);
        const fake = generator(z_d);
        const mix = add(mul(eps, real), mul(sub(1, eps), fake));
        const [slope] = gradients(sum(discriminator(mix)), [mix]);
        const penalty = mean(square(sub(rowNorms(slope), 1)));
        const wasserstein = sub(mean(discriminator(real)), mean(discriminator(fake)));
        const loss = sub(mul(penalty, lambda), wasserstein);
        return { loss, metrics: { d_loss: loss, gradient_penalty: penalty, wasserstein } };
      },
    },
    {
      updates: "generator",
      repeats: 1,
      inputs: { z_g: noise },
      trace({ generator, discriminator }, { z_g }) {
        const loss = neg(mean(discriminator(generator(z_g))));
        return { loss, metrics: { g_loss: loss } };
      },
    },
  ];
}

/** ‖v‖₂ of each row v. Its gradient at 0 is 0, as in PyTorch; that of the square root would be infinite. */
function rowNorms(rows: Value): Value {
  const squared = sum(square(rows), [1]);
  const positive = greater(squared, 0);
  return where(positive, sqrt(where(positive, squared, 1)), 0);
}
