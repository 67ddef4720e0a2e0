import { z } from "zod";
import { GanOnnxError, setting, text } from "../error.js";
import { reshape } from "../graph/index.js";
import type { Replace } from "../networks/index.js";
import type { RecipeDesign } from "./design.js";

import { adversarial, type TwoPlayers } from "./objectives/gan.js";
import { type AdversarialLoss, losses, lossNames } from "./objectives/losses.js";
import { type OptimizationSettings, optimization, optimizationSettings } from "./optimizers/index.js";
import { count } from "./recipe.js";

/** The common settings of all recipes with a generator and a discriminator, with the defaults of one of them. */
export const twoPlayerSettings = (standard: {
  latent: number;
  width: number;
  depth: number;
  learningRate: number;
  beta1: number;
  beta2: number;
}) => ({
  latent: count(standard.latent, "size of the latent vector"),
  width: count(
    standard.width,
    "neurons per hidden layer; for convolutions, channels of the layer nearest the image",
  ),
  depth: count(standard.depth, "hidden layers per network; for convolutions, number of strided layers"),
  loss: z.enum(lossNames).default("bce").describe("loss function"),
  labelSmoothing: z.number().min(0).lt(1).default(0).describe("target of real images is 1 minus this"),
  instanceNoise: z
    .number()
    .min(0)
    .default(0)
    .describe("standard deviation of the noise added to the discriminator's input"),
  r1: z
    .number()
    .min(0)
    .optional()
    .describe("weight of the penalty on the discriminator's slope at real images (default: 0)"),
  ema: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("decay of a moving average of the generator's weights, used for samples and export; 0: none"),
  detach: z
    .boolean()
    .default(true)
    .describe("do not backpropagate the discriminator's loss into the generator"),
  ...optimizationSettings(standard),
});

/** The settings of a convolutional discriminator, in addition to the common settings. */
export const discriminatorSettings = {
  spectralNorm: z
    .boolean()
    .optional()
    .describe("discriminator: spectral normalization instead of batch normalization"),
};

interface TwoPlayerSettings extends OptimizationSettings {
  readonly latent: number;
  readonly loss: (typeof lossNames)[number];
  readonly labelSmoothing: number;
  readonly instanceNoise: number;
  readonly r1?: number;
  readonly ema?: number;
  readonly detach: boolean;
}

/** The two networks of a recipe: the replacements, or its own. */
export function playersFor(
  { latent, pixels, classes }: { latent: number; pixels: number; classes?: number },
  replace: Replace,
  own: { readonly [K in keyof TwoPlayers]: () => TwoPlayers[K] },
): TwoPlayers {
  return {
    generator: replace("generator", { input: [latent], classes, output: pixels }) ?? own.generator(),
    discriminator:
      replace("discriminator", { input: [pixels], classes, output: 1, without: "Sigmoid" }) ??
      own.discriminator(),
  };
}

/**
 * The design of two networks that play against each other.
 *
 * @param jointly whether the discriminator may get real and generated images in one batch.
 * @param classes the number of classes that both networks receive, if any.
 */
export function twoPlayerDesign(
  networks: TwoPlayers,
  settings: TwoPlayerSettings,
  { pixels, jointly, classes }: { pixels: number; jointly: boolean; classes?: number },
): RecipeDesign<TwoPlayers> {
  const { latent, labelSmoothing, instanceNoise, r1 = 0, detach, ema } = settings;
  const loss = losses[settings.loss];
  if (labelSmoothing > 0 && !loss.smoothable) {
    throw new GanOnnxError({
      what: `the loss ${settings.loss} has no target to smooth`,
      where: setting("labelSmoothing"),
      fix: text`leave it out, or choose another ${setting("loss")}`,
      kind: "usage",
    });
  }
  const labelled = classes !== undefined;
  return {
    networks,
    ...optimization(settings),
    phases: adversarial({
      pixels,
      latent,
      loss,
      labelSmoothing,
      instanceNoise,
      r1,
      labelled,
      detach,
      jointly,
    }),
    ...drawnAndJudged({ latent, classes }, loss),
    averageDecay: ema || undefined,
    line: "d_loss:{d_loss},g_loss:{g_loss} D real: {real_score},D fake: {fake_score}",
  };
}

/**
 * How the generator of two players draws images in [-1, 1], and how the discriminator judges them.
 *
 * @param loss says what a logit of the discriminator means. The default is the logit itself.
 */
export function drawnAndJudged(
  { latent, classes }: { latent: number; classes?: number },
  { opinion, probability }: Pick<AdversarialLoss, "opinion" | "probability"> = {
    opinion: (logits) => logits,
    probability: false,
  },
): Pick<RecipeDesign<TwoPlayers>, "exported" | "critic"> {
  return {
    exported: {
      kind: "generator",
      network: "generator",
      latent,
      classes,
      range: [-1, 1],
      trace: ({ generator }, z, label) => generator(z, label),
    },
    critic: {
      network: "discriminator",
      trace: ({ discriminator }, image, label) => opinion(reshape(discriminator(image, label), ["batch"])),
      probability,
    },
  };
}
