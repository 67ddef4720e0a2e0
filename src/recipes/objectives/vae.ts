import { add, cast, div, exp, mean, mul, softplus, square, sub, sum, type Value } from "../../graph/index.js";
import type { Autoencoder, Network } from "../../networks/index.js";
import type { Phase } from "../design.js";

export type Autoencoding = { readonly vae: Network<Autoencoder> };

/** Convert bytes of images to [0, 1], the range of probabilities. */
export function toUnit(bytes: Value): Value {
  return div(cast(bytes, { to: "float32" }), 255);
}

/**
 * The negative evidence lower bound of a variational autoencoder (Kingma and Welling 2014,
 * https://arxiv.org/abs/1312.6114, equation 10 and appendix B): Bernoulli reconstruction and analytic divergence from
 * the standard normal distribution, summed over pixels and latents, averaged over the batch.
 *
 *     reconstruction: Σ softplus(a) - x·a, from logits a        kl: -½ Σ (1 + ln σ² - μ² - σ²)
 */
export function evidenceLowerBound(pixels: number, latent: number): readonly Phase<Autoencoding>[] {
  return [
    {
      updates: "vae",
      repeats: 1,
      inputs: { x: { role: "images", shape: [pixels] }, eps: { role: "normal", shape: [latent] } },
      trace({ vae }, { x, eps }) {
        const unit = toUnit(x);
        const { mu, logVariance } = vae.encode(unit);
        const logits = vae.decode(vae.reparameterize(mu, logVariance, eps));
        const reconstruction = mean(sum(sub(softplus(logits), mul(unit, logits)), [1]));
        const terms = sub(sub(add(logVariance, 1), square(mu)), exp(logVariance));
        const kl = mean(mul(sum(terms, [1]), -0.5));
        const loss = add(reconstruction, kl);
        return { loss, metrics: { loss, reconstruction, kl } };
      },
    },
  ];
}
