import { z } from "zod";
import { convEncoder, flowAndDecoder, projectionDiscriminator } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import { solvers } from "./objectives/flow.js";
import { drawnByFlow, type LatentFlowing, latentFlowPhases } from "./objectives/latent-flow.js";
import { adam } from "./optimizers/index.js";
import { classCount, count, defineRecipe } from "./recipe.js";
import { held } from "./schedules.js";
import { autoencoding, LEAD, polishing, polishSettings } from "./vae-then-gan.js";

/** The fraction of the steps before the GAN in which the autoencoder is trained. The flow follows. */
const AUTOENCODER = 0.5;
/** The fraction of the flow's window before the GAN in which mean and variance of the codes are measured. */
const STATISTICS = 0.2;
/** The number of steps that these are fractions of in an infinite training. */
const ENDLESS_STEPS = 9000;
/** How the flow is solved during training. */
const PREVIEW = { steps: 8, solver: "euler" } as const;

export const latentFlow = defineRecipe({
  title: "rectified flow in the codes of a convolutional VAE, decoder trained as a GAN (Rombach et al. 2022)",
  usual: { epochs: 10, batchSize: 64 },
  settings: z.strictObject({
    classes: classCount,
    latent: count(32, "size of the latent vector"),
    width: count(32, "channels of the layer nearest the image"),
    neurons: count(256, "neurons per hidden layer of the flow"),
    blocks: count(3, "residual blocks of the flow"),
    learningRate: z.number().positive().default(1e-3).describe("learning rate of the autoencoder"),
    flowRate: z.number().positive().default(1e-3).describe("learning rate of the flow"),
    draws: count(4, "times and noises for each code of a batch"),
    timeMean: z
      .number()
      .default(0)
      .describe("times of training are logit-normal: their mean before the sigmoid"),
    timeScale: z.number().positive().default(1).describe("their standard deviation before the sigmoid"),
    ...polishSettings,
    samplingSteps: count(8, "steps of the solver when images are drawn"),
    solver: z.enum(solvers).default("heun").describe("solver by which images are drawn"),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .default(0.998)
      .describe("decay of a moving average of the generator's weights, used for samples and export"),
  }),
  design(settings, image): RecipeDesign<LatentFlowing> {
    // Data without labels have one class, which nothing is told.
    const { latent, classes = 1, klWeight, errorWeight, draws, timeMean, timeScale } = settings;
    const pixels = pixelsOf(image);
    const size = { ...settings, classes };
    const labelled = classes > 1;
    const gan = 1 - settings.polish;
    const flow = gan * AUTOENCODER;
    return {
      networks: {
        encoder: convEncoder(image, size),
        generator: flowAndDecoder(image, size),
        discriminator: projectionDiscriminator(image, size),
      },
      phases: latentFlowPhases({
        pixels,
        latent,
        labelled,
        klWeight,
        errorWeight,
        part: "decoder",
        draws,
        timeMean,
        timeScale,
        solver: PREVIEW,
        autoencoding: autoencoding(settings),
        flowing: {
          name: "flow",
          optimizer: adam({ learningRate: settings.flowRate, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }),
          schedule: held({ warmupSteps: 50, until: 0.5, last: 0.02 }),
        },
        windows: {
          autoencoder: [0, flow],
          statistics: [flow, flow + (gan - flow) * STATISTICS],
          flow: [flow, 1],
          discriminator: [gan, 1],
          polish: [gan + settings.polish * LEAD, 1],
        },
      }),
      exported: {
        kind: "generator",
        network: "generator",
        latent,
        classes: labelled ? classes : undefined,
        range: [-1, 1],
        trace: ({ generator }, z, label) =>
          drawnByFlow(generator, { z, label }, { steps: settings.samplingSteps, solver: settings.solver }),
        preview: ({ generator }, z, label) => drawnByFlow(generator, { z, label }, PREVIEW),
      },
      ...polishing(settings),
      endlessSteps: ENDLESS_STEPS,
      line: [
        "vae_loss:{vae_loss} reconstruction: {reconstruction},kl: {kl}",
        "code_size: {code_size}",
        "flow_loss: {flow_loss}",
        "d_loss:{d_loss} D real: {real_score},D fake: {fake_score}",
        "g_loss:{g_loss}",
      ],
    };
  },
});
