import {
  add,
  concat,
  exp,
  mean,
  mul,
  neg,
  split,
  square,
  stopGradient,
  sub,
  sum,
  type Value,
} from "../../graph/index.js";
import type { Encode, Generate, Network } from "../../networks/index.js";
import type { OwnOptimization, Phase, StepInput, Window } from "../design.js";
import { toSigned } from "./gan.js";
import { losses } from "./losses.js";

export type VaeGan = {
  readonly encoder: Network<Encode>;
  readonly generator: Network<Generate>;
  readonly discriminator: Network<(x: Value, label?: Value) => Value>;
};

export interface VaeGanOptions {
  readonly pixels: number;
  readonly latent: number;
  readonly labelled: boolean;
  /** The weight of the divergence from the standard normal in the autoencoder's loss. */
  readonly klWeight: number;
  /** The weight of the squared error in the decoder's loss against the discriminator. */
  readonly errorWeight: number;
  /** The window of each phase. */
  readonly windows: {
    readonly autoencoder: Window;
    readonly prior: Window;
    readonly discriminator: Window;
    readonly polish: Window;
  };
  readonly autoencoding: OwnOptimization;
}

/**
 * A variational autoencoder whose decoder is then trained as a GAN's generator (Larsen et al. 2016,
 * https://arxiv.org/abs/1512.09300, trained in stages). It has four phases, each with its window:
 *
 * - `autoencoder`: encoder and decoder minimize Σ (x' - x)² + λ·KL(q(z | x) ‖ N(0, 1)) (Kingma and Welling 2014,
 *   https://arxiv.org/abs/1312.6114), on images in [-1, 1];
 * - prior: a mixture of Gaussians is fitted to the codes of each class, as in two-stage VAEs (Dai and Wipf 2019,
 *   https://arxiv.org/abs/1903.05789; Ghosh et al. 2020, https://arxiv.org/abs/1903.12436);
 * - discriminator: it distinguishes real images from decoded samples of the prior;
 * - polish: the decoder minimizes -ln D(G(z)) on such samples, plus a part of the autoencoder's squared error.
 */
export function vaeGanPhases(options: VaeGanOptions): readonly Phase<VaeGan>[] {
  const { pixels, latent, labelled, klWeight, errorWeight, windows, autoencoding } = options;
  const loss = losses.bce;
  const images: Record<string, StepInput> = {
    x: { role: "images", shape: [pixels] },
    ...(labelled && { y: { role: "labels", shape: [] } }),
  };
  const normal = (size: number): StepInput => ({ role: "normal", shape: [size] });
  const squaredError = (a: Value, b: Value) => mean(sum(square(sub(a, b)), [1]));
  const drawn = ({ decode, prior, chosen }: Generate, z: Value, y: Value | undefined) =>
    decode(prior.sample(z, chosen(y, z), 1), y);
  /** A sample of the code's distribution, μ + ε·σ. */
  const codeOf = ({ mu, logVariance }: ReturnType<Encode>, eps: Value) =>
    add(mu, mul(eps, exp(mul(logVariance, 0.5))));
  return [
    {
      updates: ["encoder", "generator"],
      during: windows.autoencoder,
      optimization: autoencoding,
      repeats: 1,
      inputs: { ...images, eps: normal(latent) },
      trace({ encoder, generator }, { x, y, eps }) {
        const real = toSigned(x);
        const code = encoder(real, y);
        const reconstruction = squaredError(generator.decode(codeOf(code, eps), y), real);
        const terms = sub(sub(add(code.logVariance, 1), square(code.mu)), exp(code.logVariance));
        const kl = mean(mul(sum(terms, [1]), -0.5));
        const vae_loss = add(reconstruction, mul(kl, klWeight));
        return { loss: vae_loss, metrics: { vae_loss, reconstruction, kl } };
      },
    },
    {
      updates: [],
      during: windows.prior,
      repeats: 1,
      inputs: { ...images, chance: { role: "uniform", shape: [1] } },
      trace({ encoder, generator: { prior, chosen } }, { x, y, chance }) {
        const { mu, logVariance } = encoder(toSigned(x), y);
        const classes = chosen(y, mu);
        const loss = neg(mean(prior.logDensity(mu, classes)));
        prior.fit(mu, exp(logVariance), classes, chance);
        return { loss, metrics: { prior_loss: loss } };
      },
    },
    {
      updates: "discriminator",
      during: windows.discriminator,
      repeats: 1,
      inputs: { ...images, z_d: normal(latent + 1) },
      trace({ generator, discriminator }, { x, y, z_d }) {
        const both = concat([toSigned(x), drawn(generator, z_d, y)], 0);
        const [real, fake] = split(discriminator(both, y && concat([y, y], 0)), 0, 2);
        const d_loss = loss.discriminator(real, fake, 1);
        const [real_score, fake_score] = [mean(loss.opinion(real)), mean(loss.opinion(fake))];
        return { loss: d_loss, metrics: { d_loss, real_score, fake_score } };
      },
    },
    {
      updates: "generator",
      during: windows.polish,
      repeats: 1,
      inputs: { ...images, eps: normal(latent), z_g: normal(latent + 1) },
      trace({ encoder, generator, discriminator }, { x, y, eps, z_g }) {
        const g_loss = loss.generator(discriminator(drawn(generator, z_g, y), y));
        const real = toSigned(x);
        const code = stopGradient(codeOf(encoder(real, y), eps));
        const error = squaredError(generator.decode(code, y), real);
        return { loss: add(g_loss, mul(error, errorWeight)), metrics: { g_loss, polish_error: error } };
      },
    },
  ];
}
