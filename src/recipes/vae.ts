import { z } from "zod";
import { mlpAutoencoder } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import { type Autoencoding, evidenceLowerBound, toUnit } from "./objectives/vae.js";
import { optimization, optimizationSettings } from "./optimizers/index.js";
import { count, defineRecipe } from "./recipe.js";

export const vae = defineRecipe({
  title: "variational autoencoder of two multilayer perceptrons",
  settings: z.strictObject({
    latent: count(20, "size of the latent vector"),
    width: count(400, "neurons per hidden layer"),
    ...optimizationSettings({ learningRate: 1e-3, beta1: 0.9, beta2: 0.999 }),
  }),
  design(settings, image, replace): RecipeDesign<Autoencoding> {
    const { latent, width } = settings;
    const pixels = pixelsOf(image);
    const encoder = replace("encoder", { input: [pixels], output: 2 * latent });
    const decoder = replace("decoder", { input: [latent], output: pixels, without: "Sigmoid" });
    return {
      networks: { vae: mlpAutoencoder(pixels, width, latent, { encoder, decoder }) },
      ...optimization(settings),
      phases: evidenceLowerBound(pixels, latent),
      exported: {
        kind: "generator",
        network: "vae",
        part: "decoder",
        latent,
        range: [0, 1],
        trace: ({ vae }, z) => vae.draw(z),
        reconstruct: ({ vae }, x) => vae.draw(vae.encode(toUnit(x)).mu),
      },
      line: "loss:{loss} reconstruction: {reconstruction},kl: {kl}",
    };
  },
});
