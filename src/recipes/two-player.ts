import { z } from "zod";
import { GanOnnxError, setting, text } from "../error.js";
import { reshape } from "../graph/index.js";
import type { Replace } from "../networks/index.js";
import type { RecipeDesign } from "./design.js";

import { adversarial, type TwoPlayers } from "./objectives/gan.js";
import { losses, lossNames } from "./objectives/losses.js";
import { type OptimizationSettings, optimization, optimizationSettings } from "./optimizers/index.js";
import { count } from "./recipe.js";

/** The settings that all recipes of a generator against a discriminator share, with the defaults of one of them. */
export const twoPlayerSettings = (standard: {
  latent: number;
  width: number;
  depth: number;
  learningRate: number;
  beta1: number;
  beta2: number;
}) => ({
  latent: count(standard.latent, "numbers in a latent vector"),
  width: count(standard.width, "neurons in each hidden layer; for convolutions, channels next to the image"),
  depth: count(
    standard.depth,
    "hidden layers of each network; for convolutions, how often images are halved",
  ),
  loss: z.enum(lossNames).default("bce").describe("what the two networks minimize"),
  labelSmoothing: z.number().min(0).lt(1).default(0).describe("how far below 1 the target of real images is"),
  instanceNoise: z.number().min(0).default(0).describe("standard deviation of noise on what D sees"),
  ema: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("decay of an average of the generator, which is sampled then"),
  detach: z.boolean().default(true).describe("stop the gradient of D's loss at generated images"),
  ...optimizationSettings(standard),
});

interface TwoPlayerSettings extends OptimizationSettings {
  readonly latent: number;
  readonly loss: (typeof lossNames)[number];
  readonly labelSmoothing: number;
  readonly instanceNoise: number;
  readonly ema?: number;
  readonly detach: boolean;
}

/** The two networks of a recipe: those that replace them, else its own. */
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
 * @param jointly whether the discriminator may see real and generated images in one batch.
 * @param classes of images that both networks are told, if any.
 */
export function twoPlayerDesign(
  networks: TwoPlayers,
  settings: TwoPlayerSettings,
  { pixels, jointly, classes }: { pixels: number; jointly: boolean; classes?: number },
): RecipeDesign<TwoPlayers> {
  const { latent, labelSmoothing, instanceNoise, detach, ema } = settings;
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
    phases: adversarial({ pixels, latent, loss, labelSmoothing, instanceNoise, labelled, detach, jointly }),
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
      trace: ({ discriminator }, image, label) =>
        loss.opinion(reshape(discriminator(image, label), ["batch"])),
      probability: loss.probability,
    },
    averageDecay: ema,
    line: "d_loss:{d_loss},g_loss:{g_loss} D real: {real_score},D fake: {fake_score}",
  };
}
