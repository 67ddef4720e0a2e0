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
import {
  type Decode,
  type Discriminate,
  type Encode,
  type Generate,
  type Network,
  oneHot,
} from "../../networks/index.js";
import type { OwnOptimization, Phase, StepInput, Window } from "../design.js";
import { softmaxCrossEntropy } from "./classification.js";
import { toSigned } from "./gan.js";
import { losses } from "./losses.js";

/** An autoencoder of images, whose decoder is a part of a generator, and a discriminator. */
export type Players<G extends { readonly decode: Decode }> = {
  readonly encoder: Network<Encode>;
  readonly generator: Network<G>;
  readonly discriminator: Network<Discriminate>;
};

export type VaeGan = Players<Generate>;

export interface AutoencoderOptions {
  readonly pixels: number;
  readonly latent: number;
  readonly labelled: boolean;
  /** The weight of the divergence from the standard normal in the autoencoder's loss. */
  readonly klWeight: number;
  /** The part of the generator that is the decoder, if it has other parameters. */
  readonly part?: string;
  readonly autoencoding: OwnOptimization;
  readonly windows: { readonly autoencoder: Window };
}

/** The training of a discriminator's auxiliary classifier. */
export interface ClassifierOptions {
  /** The weight of its cross-entropy in the decoder's loss. */
  readonly weight: number;
  /** The window before the GAN's in which it is trained alone. */
  readonly window: Window;
  readonly optimization: OwnOptimization;
}

export interface PolishOptions<G> {
  readonly pixels: number;
  readonly latent: number;
  readonly labelled: boolean;
  /** The weight of the squared error in the decoder's loss against the discriminator. */
  readonly errorWeight: number;
  /** If the discriminator has an auxiliary classifier. */
  readonly classifier?: ClassifierOptions;
  readonly part?: string;
  /** The window of each phase. */
  readonly windows: { readonly discriminator: Window; readonly polish: Window };
  /** How many numbers a sample of the generator is made of. */
  readonly noise: number;
  /** Samples [batch, pixels] from standard normal numbers [batch, noise] and classes [batch]. */
  drawn(generator: G, z: Value, label: Value | undefined): Value;
}

export interface VaeGanOptions extends AutoencoderOptions, Omit<PolishOptions<Generate>, "drawn" | "noise"> {
  readonly windows: AutoencoderOptions["windows"] &
    PolishOptions<Generate>["windows"] & { readonly prior: Window };
}

const loss = losses.bce;
const normal = (size: number): StepInput => ({ role: "normal", shape: [size] });
const squaredError = (a: Value, b: Value) => mean(sum(square(sub(a, b)), [1]));
/** The auxiliary classifier's cross-entropy for its logits of images and their classes [batch]. */
function classified(logits: Value | undefined, label: Value): Value {
  if (!logits) throw new Error("the discriminator has no auxiliary classifier");
  return softmaxCrossEntropy(logits, oneHot(label, Number(logits.shape[1])));
}

const partOf = (part: string | undefined) => (part === undefined ? {} : { parts: { generator: part } });

/** The inputs of a phase that sees images `x` and their labels `y`. */
export function imagesAnd(
  { pixels, labelled }: { readonly pixels: number; readonly labelled: boolean },
  others: Readonly<Record<string, StepInput>>,
): Record<string, StepInput> {
  const y: Record<string, StepInput> = labelled ? { y: { role: "labels", shape: [] } } : {};
  return { x: { role: "images", shape: [pixels] }, ...y, ...others };
}

/** A sample of a code's distribution, μ + ε·σ. */
export function codeOf({ mu, logVariance }: ReturnType<Encode>, eps: Value): Value {
  return add(mu, mul(eps, exp(mul(logVariance, 0.5))));
}

/**
 * The training of a variational autoencoder: encoder and decoder minimize Σ (x' - x)² + λ·KL(q(z | x) ‖ N(0, 1)) (Kingma
 * and Welling 2014, https://arxiv.org/abs/1312.6114), on images in [-1, 1].
 */
export function autoencoderPhase<G extends { readonly decode: Decode }>(
  options: AutoencoderOptions,
): Phase<Players<G>> {
  const { latent, klWeight, part, autoencoding, windows } = options;
  return {
    updates: ["encoder", "generator"],
    ...partOf(part),
    during: windows.autoencoder,
    optimization: autoencoding,
    repeats: 1,
    inputs: imagesAnd(options, { eps: normal(latent) }),
    trace({ encoder, generator }, { x, y, eps }) {
      const real = toSigned(x);
      const code = encoder(real, y);
      const reconstruction = squaredError(generator.decode(codeOf(code, eps), y), real);
      const terms = sub(sub(add(code.logVariance, 1), square(code.mu)), exp(code.logVariance));
      const kl = mean(mul(sum(terms, [1]), -0.5));
      const vae_loss = add(reconstruction, mul(kl, klWeight));
      return { loss: vae_loss, metrics: { vae_loss, reconstruction, kl } };
    },
  };
}

/**
 * The training of the decoder as a GAN's generator (Larsen et al. 2016, https://arxiv.org/abs/1512.09300):
 *
 * - the discriminator distinguishes real images from samples of the generator;
 * - the decoder minimizes -ln D(G(z)) on such samples, plus a part of the autoencoder's squared error.
 *
 * If the discriminator has an auxiliary classifier (AC-GAN, Odena et al. 2017, https://arxiv.org/abs/1610.09585), it
 * also minimizes -ln p(c | x) for the classes c of real images, and the decoder λ·(-ln p(c | G(z))) for the classes that
 * its samples were asked for. A classifier that knows little yet would pull all samples to the middle of their class, so
 * it is trained on real images first.
 */
export function polishPhases<G extends { readonly decode: Decode }>(
  options: PolishOptions<G>,
): readonly Phase<Players<G>>[] {
  const { latent, errorWeight, classifier, part, windows, noise, drawn } = options;
  const gan: readonly Phase<Players<G>>[] = [
    {
      updates: "discriminator",
      during: windows.discriminator,
      repeats: 1,
      inputs: imagesAnd(options, { z_d: normal(noise) }),
      trace({ generator, discriminator }, { x, y, z_d }) {
        const both = concat([toSigned(x), drawn(generator, z_d, y)], 0);
        const seen = discriminator(both, y && concat([y, y], 0));
        const [real, fake] = split(seen.real, 0, 2);
        const d_loss = loss.discriminator(real, fake, 1);
        const [real_score, fake_score] = [mean(loss.opinion(real)), mean(loss.opinion(fake))];
        const metrics = { d_loss, real_score, fake_score };
        if (!classifier) return { loss: d_loss, metrics };
        const class_loss = classified(seen.classes && split(seen.classes, 0, 2)[0], y);
        return { loss: add(d_loss, class_loss), metrics: { ...metrics, class_loss } };
      },
    },
    {
      updates: "generator",
      ...partOf(part),
      during: windows.polish,
      repeats: 1,
      inputs: imagesAnd(options, { eps: normal(latent), z_g: normal(noise) }),
      trace({ encoder, generator, discriminator }, { x, y, eps, z_g }) {
        const seen = discriminator(drawn(generator, z_g, y), y);
        const g_loss = loss.generator(seen.real);
        const real = toSigned(x);
        const code = stopGradient(codeOf(encoder(real, y), eps));
        const error = squaredError(generator.decode(code, y), real);
        const total = add(g_loss, mul(error, errorWeight));
        const metrics = { g_loss, polish_error: error };
        if (!classifier) return { loss: total, metrics };
        const asked_loss = classified(seen.classes, y);
        return { loss: add(total, mul(asked_loss, classifier.weight)), metrics: { ...metrics, asked_loss } };
      },
    },
  ];
  if (!classifier) return gan;
  const first: Phase<Players<G>> = {
    updates: "discriminator",
    during: classifier.window,
    optimization: classifier.optimization,
    repeats: 1,
    inputs: imagesAnd(options, {}),
    trace({ discriminator }, { x, y }) {
      const { classes } = discriminator(toSigned(x), y);
      const classifier_loss = classified(classes, y);
      return { loss: classifier_loss, metrics: { classifier_loss } };
    },
  };
  return [first, ...gan];
}

/**
 * A variational autoencoder whose decoder is then trained as a GAN's generator, in stages. It has four phases, each with
 * its window: {@link autoencoderPhase}, the prior, and the two {@link polishPhases}. The prior is a mixture of Gaussians
 * that is fitted to the codes of each class, as in two-stage VAEs (Dai and Wipf 2019,
 * https://arxiv.org/abs/1903.05789; Ghosh et al. 2020, https://arxiv.org/abs/1903.12436).
 */
export function vaeGanPhases(options: VaeGanOptions): readonly Phase<VaeGan>[] {
  const { latent, windows } = options;
  return [
    autoencoderPhase(options),
    {
      updates: [],
      during: windows.prior,
      repeats: 1,
      inputs: imagesAnd(options, { chance: { role: "uniform", shape: [1] } }),
      trace({ encoder, generator: { prior, chosen } }, { x, y, chance }) {
        const { mu, logVariance } = encoder(toSigned(x), y);
        const classes = chosen(y, mu);
        const loss = neg(mean(prior.logDensity(mu, classes)));
        prior.fit(mu, exp(logVariance), classes, chance);
        return { loss, metrics: { prior_loss: loss } };
      },
    },
    ...polishPhases<Generate>({
      ...options,
      noise: latent + 1,
      drawn: ({ decode, prior, chosen }, z, y) => decode(prior.sample(z, chosen(y, z), 1), y),
    }),
  ];
}
