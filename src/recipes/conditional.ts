import { z } from "zod";
import { convDiscriminator, convGenerator } from "../networks/index.js";
import { pixelsOf } from "./design.js";
import { classCount, defineRecipe, MNIST_CLASSES } from "./recipe.js";
import { discriminatorSettings, playersFor, twoPlayerDesign, twoPlayerSettings } from "./two-player.js";

export const conditional = defineRecipe({
  title: "dcgan with class labels (Mirza and Osindero 2014)",
  usual: { ema: 0.99 },
  settings: z.strictObject({
    classes: classCount,
    projection: z
      .boolean()
      .optional()
      .describe("discriminator: classes by projection instead of by channels of the image"),
    ...discriminatorSettings,
    ...twoPlayerSettings({ latent: 100, width: 32, depth: 2, learningRate: 2e-4, beta1: 0.5, beta2: 0.999 }),
  }),
  design(settings, image, replace) {
    const { classes = MNIST_CLASSES } = settings;
    const [pixels, size] = [pixelsOf(image), { ...settings, classes }];
    const networks = playersFor({ ...size, pixels }, replace, {
      generator: () => convGenerator(settings.latent, image, size),
      discriminator: () => convDiscriminator(image, size, settings),
    });
    return twoPlayerDesign(networks, settings, { pixels, jointly: false, classes });
  },
});
