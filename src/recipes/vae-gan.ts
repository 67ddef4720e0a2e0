import { z } from "zod";
import { convEncoder, priorAndDecoder, projectionDiscriminator } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import { type VaeGan, vaeGanPhases } from "./objectives/vae-gan.js";
import { classCount, count, defineRecipe } from "./recipe.js";
import { autoencoding, classifying, LEAD, polishing, polishSettings } from "./vae-then-gan.js";

/** The fraction of the autoencoder's window after which training of the prior begins. */
const PRIOR_FROM = 0.5;
/** The fraction of the autoencoder's window after which training of the auxiliary classifier begins. */
const CLASSIFIER_FROM = 0.5;
/** The fraction of the GAN's window after which it stops, so that the decoder is trained with the final prior. */
const PRIOR_UNTIL = 0.7;
/** The number of steps that these are fractions of in an infinite training. */
const ENDLESS_STEPS = 4500;

export const vaeGan = defineRecipe({
  title: "a convolutional VAE with a mixture prior, then trained as a GAN; conditional (Larsen et al. 2016)",
  usual: { epochs: 5, batchSize: 64, classifierWeight: 5 },
  settings: z.strictObject({
    classes: classCount,
    latent: count(32, "size of the latent vector"),
    width: count(32, "channels of the layer nearest the image"),
    components: count(400, "Gaussians in the prior, for all classes together"),
    learningRate: z.number().positive().default(1e-3).describe("learning rate of the autoencoder"),
    ...polishSettings,
    classifierWeight: z
      .number()
      .min(0)
      .optional()
      .describe(
        "weight of the discriminator's auxiliary classifier in the decoder's loss as a GAN, for data with classes",
      ),
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
    const { latent, classes = 1, temperature, klWeight, errorWeight, classifierWeight = 0 } = settings;
    const pixels = pixelsOf(image);
    const components = Math.max(1, Math.round(settings.components / classes));
    const size = { ...settings, classes, components };
    const labelled = classes > 1;
    const begin = 1 - settings.polish;
    const classifier =
      labelled && classifierWeight > 0
        ? {
            weight: classifierWeight,
            window: [begin * CLASSIFIER_FROM, begin] as const,
            optimization: classifying(settings),
          }
        : undefined;
    return {
      networks: {
        encoder: convEncoder(image, size),
        generator: priorAndDecoder(image, size),
        discriminator: projectionDiscriminator(image, size, classifier !== undefined),
      },
      phases: vaeGanPhases({
        pixels,
        latent,
        labelled,
        klWeight,
        errorWeight,
        classifier,
        autoencoding: autoencoding(settings),
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
      ...polishing(settings),
      endlessSteps: ENDLESS_STEPS,
      line: [
        "vae_loss:{vae_loss} reconstruction: {reconstruction},kl: {kl}",
        "prior: {prior_loss}",
        "classifier: {classifier_loss}",
        "d_loss:{d_loss} D real: {real_score},D fake: {fake_score}",
        "g_loss:{g_loss}",
      ],
    };
  },
});
