import { z } from "zod";
import { residualDiscriminator, residualGenerator } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import type { TwoPlayers } from "./objectives/gan.js";
import { relativistic } from "./objectives/relativistic.js";
import { optimization, optimizationSettings } from "./optimizers/index.js";
import { count, defineRecipe } from "./recipe.js";
import { drawnAndJudged, playersFor } from "./two-player.js";

export const r3gan = defineRecipe({
  title: "relativistic GAN with both gradient penalties (Huang et al. 2024)",
  settings: z.strictObject({
    latent: count(64, "size of the latent vector"),
    width: count(32, "channels of the layer nearest the image"),
    depth: count(2, "number of strided layers"),
    blocks: z.int().min(0).default(1).describe("residual blocks of each network, where images are smallest"),
    classes: z.int().min(1).optional().describe("number of classes (default: networks are told no classes)"),
    gamma: z.number().min(0).default(1).describe("weight of the two gradient penalties"),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .default(0.995)
      .describe("decay of a moving average of the generator's weights, used for samples and export"),
    ...optimizationSettings({ learningRate: 5e-4, beta1: 0, beta2: 0.99 }),
  }),
  design(settings, image, replace): RecipeDesign<TwoPlayers> {
    const { latent, classes, gamma, ema } = settings;
    const pixels = pixelsOf(image);
    const own = residualDiscriminator(image, settings);
    const networks = playersFor({ latent, pixels, classes }, replace, {
      generator: () => residualGenerator(latent, image, settings),
      discriminator: () => own,
    });
    return {
      networks,
      ...optimization(settings),
      phases: relativistic({
        pixels,
        latent,
        gamma,
        labelled: classes !== undefined,
        // Another network may use batch statistics.
        jointly: networks.discriminator === own,
      }),
      ...drawnAndJudged({ latent, classes }),
      averageDecay: ema,
      averageWarmUp: true,
      line: "d_loss:{d_loss},g_loss:{g_loss} r1: {r1},r2: {r2}",
    };
  },
});
