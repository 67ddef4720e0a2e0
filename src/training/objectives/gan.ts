import {
  add,
  cast,
  concat,
  div,
  mean,
  neg,
  sigmoid,
  softplus,
  split,
  sub,
  type Value,
} from "../../graph/index.js";
import type { Network } from "../../networks/index.js";
import type { Phase } from "../recipes/recipe.js";

export type TwoPlayers = {
  readonly generator: Network<(z: Value) => Value>;
  readonly discriminator: Network<(x: Value) => Value>;
};

/** Bytes of images to [-1, 1], the range of tanh: x / 127.5 - 1. */
export function toSigned(bytes: Value): Value {
  return sub(div(cast(bytes, { to: "float32" }), 127.5), 1);
}

/**
 * The two updates of a generative adversarial network (Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661), with
 * binary cross-entropy and the non-saturating generator loss of its section 3:
 *
 *     discriminator: -ln D(x) - ln(1 - D(G(z)))        generator: -ln D(G(z))
 *
 * Computed from logits a: -ln σ(a) = softplus(-a), -ln(1 - σ(a)) = softplus(a). The generator's update sees fresh
 * noise and the discriminator as its own update left it.
 *
 * Metrics: the losses, and the mean probabilities that D gave to real and generated images before its update.
 */
export function adversarial(pixels: number, latent: number): readonly Phase<TwoPlayers>[] {
  const noise = { role: "normal", shape: [latent] } as const;
  return [
    {
      updates: "discriminator",
      repeats: 1,
      inputs: { x: { role: "images", shape: [pixels] }, z_d: noise },
      trace({ generator, discriminator }, { x, z_d }) {
        const [real, fake] = split(discriminator(concat([toSigned(x), generator(z_d)], 0)), 0, 2);
        const loss = add(mean(softplus(neg(real))), mean(softplus(fake)));
        return {
          loss,
          metrics: { d_loss: loss, real_score: mean(sigmoid(real)), fake_score: mean(sigmoid(fake)) },
        };
      },
    },
    {
      updates: "generator",
      repeats: 1,
      inputs: { z_g: noise },
      trace({ generator, discriminator }, { z_g }) {
        const loss = mean(softplus(neg(discriminator(generator(z_g)))));
        return { loss, metrics: { g_loss: loss } };
      },
    },
  ];
}
