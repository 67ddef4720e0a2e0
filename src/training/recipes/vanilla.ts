import { z } from "zod";
import { mlpDiscriminator, mlpGenerator } from "../../networks/index.js";
import { adversarial } from "../objectives/gan.js";
import { adam } from "../optimizers.js";
import { adamSettings, count, defineRecipe, pixelsOf } from "./recipe.js";

export const vanilla = defineRecipe({
  title: "the PyTorch example: two multilayer perceptrons, binary cross-entropy",
  settings: z.strictObject({
    latent: count(100, "numbers in a latent vector"),
    width: count(256, "neurons in each hidden layer"),
    depth: count(2, "hidden layers of each network"),
    ...adamSettings({ learningRate: 3e-4, beta1: 0.9, beta2: 0.999 }),
  }),
  design(settings, image) {
    const { latent } = settings;
    const pixels = pixelsOf(image);
    return {
      networks: {
        generator: mlpGenerator(latent, pixels, settings),
        discriminator: mlpDiscriminator(pixels, settings),
      },
      optimizer: adam(settings),
      phases: adversarial(pixels, latent),
      sampler: { network: "generator", latent, range: [-1, 1], trace: ({ generator }, z) => generator(z) },
      line: "d_loss:{d_loss},g_loss:{g_loss} D real: {real_score},D fake: {fake_score}",
    };
  },
});
