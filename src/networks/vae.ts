import { add, exp, mul, relu, sigmoid, type Value, withScope } from "../graph/index.js";
import { linear, plain } from "./layers.js";
import type { Network } from "./network.js";

/** The functions of a variational autoencoder. They share no parameters. */
export interface Autoencoder {
  /** Pixels [batch, pixels] to mean and log variance of the latents, [batch, latent] each. */
  encode(x: Value): { readonly mu: Value; readonly logVariance: Value };
  /** Mean, log variance and noise, standard normal, to latents: μ + ε·σ. */
  reparameterize(mu: Value, logVariance: Value, noise: Value): Value;
  /** Latents [batch, latent] to logits of pixels [batch, pixels]. */
  decode(z: Value): Value;
  /** Latents to pixels in [0, 1]. */
  draw(z: Value): Value;
}

/** Multilayer perceptrons with one hidden layer each, as in PyTorch's example of Kingma and Welling 2014. */
export function mlpAutoencoder(pixels: number, width: number, latent: number): Network<Autoencoder> {
  return {
    name: "vae",
    create(scope) {
      const [fc1, mu, logvar] = [
        plain(linear(scope, "fc1", pixels, width)),
        plain(linear(scope, "mu", width, latent)),
        plain(linear(scope, "logvar", width, latent)),
      ];
      const [fc3, fc4] = [
        plain(linear(scope, "fc3", latent, width)),
        plain(linear(scope, "fc4", width, pixels)),
      ];
      const decode = (z: Value) => withScope("vae", () => fc4(relu(fc3(z))));
      return {
        encode: (x) =>
          withScope("vae", () => {
            const hidden = relu(fc1(x));
            return { mu: mu(hidden), logVariance: logvar(hidden) };
          }),
        reparameterize: (mean, logVariance, noise) => add(mean, mul(noise, exp(mul(logVariance, 0.5)))),
        decode,
        draw: (z) => sigmoid(decode(z)),
      };
    },
  };
}
