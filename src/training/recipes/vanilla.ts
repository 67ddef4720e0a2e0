import { z } from "zod";
import { mlpDiscriminator, mlpGenerator } from "../../networks/index.js";
import { defineRecipe, pixelsOf } from "./recipe.js";
import { twoPlayerDesign, twoPlayerSettings } from "./two-player.js";

export const vanilla = defineRecipe({
  title: "the PyTorch example: two multilayer perceptrons, binary cross-entropy",
  settings: z.strictObject(
    twoPlayerSettings({ latent: 100, width: 256, depth: 2, learningRate: 3e-4, beta1: 0.9, beta2: 0.999 }),
  ),
  design(settings, image) {
    const pixels = pixelsOf(image);
    const networks = {
      generator: mlpGenerator(settings.latent, pixels, settings),
      discriminator: mlpDiscriminator(pixels, settings),
    };
    return twoPlayerDesign(networks, settings, { pixels, jointly: true });
  },
});
