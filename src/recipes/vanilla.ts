import { z } from "zod";
import { mlpDiscriminator, mlpGenerator } from "../networks/index.js";
import { pixelsOf } from "./design.js";
import { defineRecipe } from "./recipe.js";
import { playersFor, twoPlayerDesign, twoPlayerSettings } from "./two-player.js";

/**
 * Settings with which it shows digits after some ten epochs of easy ones, for those who wait: larger steps and less
 * momentum than the example's, which wants some forty.
 */
export const hurried = { learningRate: 1e-3, beta1: 0.5 };

export const vanilla = defineRecipe({
  title: "the PyTorch example: two multilayer perceptrons, binary cross-entropy",
  settings: z.strictObject(
    twoPlayerSettings({ latent: 100, width: 256, depth: 2, learningRate: 3e-4, beta1: 0.9, beta2: 0.999 }),
  ),
  design(settings, image, replace) {
    const pixels = pixelsOf(image);
    const own = mlpDiscriminator(pixels, settings);
    const networks = playersFor({ ...settings, pixels }, replace, {
      generator: () => mlpGenerator(settings.latent, pixels, settings),
      discriminator: () => own,
    });
    // A network that nobody here knows may look at a batch as a whole.
    return twoPlayerDesign(networks, settings, { pixels, jointly: networks.discriminator === own });
  },
});
