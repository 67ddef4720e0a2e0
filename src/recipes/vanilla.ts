import { z } from "zod";
import { mlpDiscriminator, mlpGenerator } from "../networks/index.js";
import { pixelsOf } from "./design.js";
import { defineRecipe } from "./recipe.js";
import { playersFor, twoPlayerDesign, twoPlayerSettings } from "./two-player.js";

/**
 * Settings that show digits after about ten epochs on easy images: a higher learning rate and less momentum than those
 * of the example, which needs about forty.
 */
export const hurried = { learningRate: 1e-3, beta1: 0.5 };

export const vanilla = defineRecipe({
  title: "the PyTorch example: two multilayer perceptrons, binary cross-entropy",
  patience:
    "vanilla shows blobs at first: expect digits after about 40 epochs of MNIST, or after about 10 with learning rate 1e-3 and beta1 0.5",
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
    // Another network may use batch statistics.
    return twoPlayerDesign(networks, settings, { pixels, jointly: networks.discriminator === own });
  },
});
