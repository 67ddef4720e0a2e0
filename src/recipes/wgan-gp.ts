import { z } from "zod";
import { mlpDiscriminator, mlpGenerator } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import type { TwoPlayers } from "./objectives/gan.js";
import { wassersteinWithPenalty } from "./objectives/wgan-gp.js";
import { optimization, optimizationSettings } from "./optimizers/index.js";
import { count, defineRecipe } from "./recipe.js";
import { drawnAndJudged, playersFor } from "./two-player.js";

export const wganGp = defineRecipe({
  title: "Wasserstein GAN with gradient penalty, on the networks of vanilla",
  settings: z.strictObject({
    latent: count(100, "size of the latent vector"),
    width: count(256, "neurons per hidden layer"),
    depth: count(2, "hidden layers per network"),
    critics: count(5, "critic updates per generator update"),
    lambda: z.number().min(0).default(10).describe("weight of the gradient penalty"),
    ...optimizationSettings({ learningRate: 1e-4, beta1: 0, beta2: 0.9 }),
  }),
  design(settings, image, replace): RecipeDesign<TwoPlayers> {
    const { latent } = settings;
    const pixels = pixelsOf(image);
    return {
      networks: playersFor({ latent, pixels }, replace, {
        generator: () => mlpGenerator(latent, pixels, settings),
        discriminator: () => mlpDiscriminator(pixels, settings),
      }),
      ...optimization(settings),
      phases: wassersteinWithPenalty(pixels, settings),
      ...drawnAndJudged({ latent }),
      line: "d_loss:{d_loss},g_loss:{g_loss} penalty: {gradient_penalty},wasserstein: {wasserstein}",
    };
  },
});
