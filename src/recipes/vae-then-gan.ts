import { z } from "zod";
import { reshape } from "../graph/index.js";
import type { Decode } from "../networks/index.js";
import type { RecipeDesign } from "./design.js";
import { losses } from "./objectives/losses.js";
import type { Players } from "./objectives/vae-gan.js";
import { adam } from "./optimizers/index.js";
import { held } from "./schedules.js";

/** The fraction of the GAN's window in which only the discriminator is trained. */
export const LEAD = 0.06;

/** The settings of all recipes that train an autoencoder, and then its decoder as a GAN. */
export const polishSettings = {
  polishRate: z.number().positive().default(2e-4).describe("learning rate of the GAN"),
  polish: z
    .number()
    .gt(0)
    .lt(1)
    .default(1 / 3)
    .describe("share of the training in which the decoder is trained as a GAN"),
  klWeight: z.number().min(0).default(0.196).describe("weight of the divergence in the autoencoder's loss"),
  errorWeight: z
    .number()
    .min(0)
    .default(0.01)
    .describe("weight of the squared error in the decoder's loss as a GAN"),
};

/** The optimizer and the schedule of a part that is trained before the GAN. */
const beforehand =
  (name: string) =>
  ({ learningRate }: { readonly learningRate: number }) => ({
    name,
    optimizer: adam({ learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    schedule: held({ warmupSteps: 50, until: 0.4, last: 0.02 }),
  });
export const autoencoding = beforehand("autoencoder");
/** Those of the discriminator's auxiliary classifier. */
export const classifying = beforehand("classifier");

/** The parts of a design that belong to the GAN: its optimizer, its critic, the averaged weights. */
export function polishing<G extends { readonly decode: Decode }>(settings: {
  readonly polishRate: number;
  readonly ema: number;
}): Pick<RecipeDesign<Players<G>>, "optimizer" | "critic" | "averageDecay" | "averageWarmUp"> {
  return {
    optimizer: adam({ learningRate: settings.polishRate, beta1: 0.5, beta2: 0.99, epsilon: 1e-8 }),
    critic: {
      network: "discriminator",
      trace: ({ discriminator }, x, label) =>
        losses.bce.opinion(reshape(discriminator(x, label).real, ["batch"])),
      probability: true,
    },
    averageDecay: settings.ema,
    averageWarmUp: true,
  };
}
