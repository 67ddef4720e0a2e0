import { add, exp, mul, relu, sigmoid, split, type Value, withScope } from "../graph/index.js";
import { linear, plain } from "./layers.js";
import { type Network, type Scope, within } from "./network.js";
import type { RoleNetwork } from "./role.js";

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

/** The halves of an autoencoder: pixels to means and log variances [batch, 2·latent], latents to logits of pixels. */
export interface Halves {
  readonly encoder?: RoleNetwork;
  readonly decoder?: RoleNetwork;
}

/**
 * Multilayer perceptrons with one hidden layer each, as in PyTorch's example of Kingma and Welling 2014.
 *
 * @param given halves that replace the perceptrons. Their parameters are named `encoder.…` and `decoder.…`.
 */
export function mlpAutoencoder(
  pixels: number,
  width: number,
  latent: number,
  given: Halves = {},
): Network<Autoencoder> {
  return {
    name: "vae",
    create(scope) {
      const encode = given.encoder
        ? halved(given.encoder.create(within(scope, "encoder")))
        : mlpEncoder(scope, { pixels, width, latent });
      const decodeRows = given.decoder
        ? given.decoder.create(within(scope, "decoder"))
        : mlpDecoder(scope, { pixels, width, latent });
      const decode = (z: Value) => withScope("vae", () => decodeRows(z));
      return {
        encode: (x) => withScope("vae", () => encode(x)),
        reparameterize: (mean, logVariance, noise) => add(mean, mul(noise, exp(mul(logVariance, 0.5)))),
        decode,
        draw: (z) => sigmoid(decode(z)),
      };
    },
  };
}

interface Sizes {
  readonly pixels: number;
  readonly width: number;
  readonly latent: number;
}

function mlpEncoder(scope: Scope, { pixels, width, latent }: Sizes): Autoencoder["encode"] {
  const [fc1, mu, logvar] = [
    plain(linear(scope, "fc1", pixels, width)),
    plain(linear(scope, "mu", width, latent)),
    plain(linear(scope, "logvar", width, latent)),
  ];
  return (x) => {
    const hidden = relu(fc1(x));
    return { mu: mu(hidden), logVariance: logvar(hidden) };
  };
}

function mlpDecoder(scope: Scope, { pixels, width, latent }: Sizes): (z: Value) => Value {
  const [fc3, fc4] = [plain(linear(scope, "fc3", latent, width)), plain(linear(scope, "fc4", width, pixels))];
  return (z) => fc4(relu(fc3(z)));
}

/** Means first, then log variances. */
function halved(encoder: (x: Value) => Value): Autoencoder["encode"] {
  return (x) => {
    const [mu, logVariance] = split(encoder(x), 1, 2);
    return { mu, logVariance };
  };
}
