import { z } from "zod";
import { convDiscriminator, convGenerator } from "../networks/index.js";
import { pixelsOf } from "./design.js";
import { defineRecipe } from "./recipe.js";
import { discriminatorSettings, playersFor, twoPlayerDesign, twoPlayerSettings } from "./two-player.js";

export const dcgan = defineRecipe({
  title: "convolutional networks with batch normalization (Radford et al. 2016)",
  usual: { ema: 0.99 },
  settings: z.strictObject({
    ...discriminatorSettings,
    ...twoPlayerSettings({ latent: 100, width: 32, depth: 2, learningRate: 2e-4, beta1: 0.5, beta2: 0.999 }),
  }),
  design(settings, image, replace) {
    const pixels = pixelsOf(image);
    const networks = playersFor({ ...settings, pixels }, replace, {
      generator: () => convGenerator(settings.latent, image, settings),
      discriminator: () => convDiscriminator(image, settings, settings),
    });
    return twoPlayerDesign(networks, settings, { pixels, jointly: false });
  },
});
