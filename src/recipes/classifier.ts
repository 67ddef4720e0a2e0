import { z } from "zod";
import { convClassifier, type ImageClassifier, type Network, type RoleNetwork } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import { type Classifying, crossEntropy } from "./objectives/classification.js";
import { optimization, optimizationSettings } from "./optimizers/index.js";
import { classCount, count, defineRecipe, MNIST_CLASSES } from "./recipe.js";

export const classifier = defineRecipe({
  title: "a convolutional image classifier (no GAN)",
  settings: z.strictObject({
    classes: classCount,
    width: count(16, "channels next to the image"),
    depth: count(2, "how often images are halved"),
    features: count(64, "features of the last hidden layer"),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .default(0.99)
      .describe("decay of a moving average of the classifier's weights, used for export"),
    ...optimizationSettings({ learningRate: 2e-3, beta1: 0.9, beta2: 0.999 }),
  }),
  design(settings, image, replace): RecipeDesign<Classifying> {
    const { classes = MNIST_CLASSES } = settings;
    const pixels = pixelsOf(image);
    const replaced = replace("classifier", { input: [pixels], output: classes, without: "Softmax" });
    return {
      networks: {
        classifier: replaced ? withFeatures(replaced) : convClassifier(image, { ...settings, classes }),
      },
      ...optimization(settings),
      phases: crossEntropy(pixels, classes),
      exported: {
        kind: "classifier",
        network: "classifier",
        range: [-1, 1],
        classes,
        trace: ({ classifier }, images) => classifier(images),
      },
      averageDecay: settings.ema,
      line: "loss:{loss},accuracy: {accuracy}",
    };
  },
});

/** A network that returns only logits: they are also its features. */
function withFeatures(network: RoleNetwork): Network<ImageClassifier> {
  return {
    ...network,
    create(scope) {
      const forward = network.create(scope);
      return (images) => {
        const logits = forward(images);
        return { logits, features: logits };
      };
    },
  };
}
