import { z } from "zod";
import { reshape } from "../graph/index.js";
import { convEncoder, priorAndDecoder, projectionDiscriminator } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import { losses } from "./objectives/losses.js";
import { type VaeGan, vaeGanPhases } from "./objectives/vae-gan.js";
import { adam } from "./optimizers/index.js";
import { classCount, count, defineRecipe } from "./recipe.js";
import { held } from "./schedules.js";

/** The fraction of the autoencoder's window after which training of the prior begins. */
const PRIOR_FROM = 0.5;
/** The fraction of the GAN's window after which it stops, so that the decoder is trained with the final prior. */
const PRIOR_UNTIL = 0.7;
/** The fraction of the GAN's window in which only the discriminator is trained. */
const LEAD = 0.06;
/** The number of steps that these are fractions of in an infinite training. */
const ENDLESS_STEPS = 4500;

export const vaeGan = defineRecipe({
  title: "a convolutional VAE with a mixture prior, then trained as a GAN; conditional (Larsen et al. 2016)",
  usual: { epochs: 5, batchSize: 64 },
  settings: z.strictObject({
    classes: classCount,
    latent: count(32, "size of the latent vector"),
    width: count(32, "channels of the layer nearest the image"),
    components: count(400, "Gaussians in the prior, for all classes together"),
    learningRate: z.number().positive().default(1e-3).describe("learning rate of the autoencoder"),
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
    temperature: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe("scale of the noise when samples are drawn; less is safer and less varied"),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .default(0.998)
      .describe("decay of a moving average of the decoder's weights, used for samples and export"),
  }),
  design(settings, image): RecipeDesign<VaeGan> {
    // Data without labels have one class, which nothing is told.
    const { latent, classes = 1, temperature, klWeight, errorWeight } = settings;
    const pixels = pixelsOf(image);
    const components = Math.max(1, Math.round(settings.components / classes));
    const size = { ...settings, classes, components };
    const labelled = classes > 1;
    const begin = 1 - settings.polish;
    const autoencoding = {
      name: "autoencoder",
      optimizer: adam({ learningRate: settings.learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
      schedule: held({ warmupSteps: 50, until: 0.4, last: 0.02 }),
    };
    return {
      networks: {
        encoder: convEncoder(image, size),
        generator: priorAndDecoder(image, size),
        discriminator: projectionDiscriminator(image, size),
      },
      optimizer: adam({ learningRate: settings.polishRate, beta1: 0.5, beta2: 0.99, epsilon: 1e-8 }),
      phases: vaeGanPhases({
        pixels,
        latent,
        labelled,
        klWeight,
        errorWeight,
        autoencoding,
        windows: {
          autoencoder: [0, begin],
          prior: [begin * PRIOR_FROM, begin + settings.polish * PRIOR_UNTIL],
          discriminator: [begin, 1],
          polish: [begin + settings.polish * LEAD, 1],
        },
      }),
      exported: {
        kind: "generator",
        network: "generator",
        latent: latent + 1,
        classes: labelled ? classes : undefined,
        range: [-1, 1],
        trace: ({ generator: { decode, prior, chosen } }, z, label) =>
          decode(prior.sample(z, chosen(label, z), temperature), label),
      },
      critic: {
        network: "discriminator",
        trace: ({ discriminator }, x, label) =>
          losses.bce.opinion(reshape(discriminator(x, label), ["batch"])),
        probability: true,
      },
      averageDecay: settings.ema,
      averageWarmUp: true,
      endlessSteps: ENDLESS_STEPS,
      line: [
        "vae_loss:{vae_loss} reconstruction: {reconstruction},kl: {kl}",
        "prior: {prior_loss}",
        "d_loss:{d_loss} D real: {real_score},D fake: {fake_score}",
        "g_loss:{g_loss}",
      ],
    };
  },
});
