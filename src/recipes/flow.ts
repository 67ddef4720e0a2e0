import { z } from "zod";
import { uNet } from "../networks/index.js";
import { pixelsOf, type RecipeDesign } from "./design.js";
import { type Flowing, flowMatching, predictions, solved, solvers } from "./objectives/flow.js";
import { optimization, optimizationSettings } from "./optimizers/index.js";
import { count, defineRecipe } from "./recipe.js";

/** The number of solver steps for the sheets of a training. */
const PREVIEW_STEPS = 8;

export const flow = defineRecipe({
  title: "rectified flow by a small U-Net (Liu et al. 2023, Lipman et al. 2023)",
  settings: z.strictObject({
    width: count(32, "channels at half of the image's size"),
    blocks: count(1, "residual blocks at each size"),
    classes: z
      .int()
      .min(1)
      .optional()
      .describe("number of classes (default: the network is told no classes)"),
    prediction: z.enum(predictions).default("velocity").describe("what the network predicts"),
    timeMean: z
      .number()
      .default(0)
      .describe("times of training are logit-normal: their mean before the sigmoid"),
    timeScale: z.number().positive().default(1).describe("their standard deviation before the sigmoid"),
    samplingSteps: count(20, "steps of the solver when images are drawn"),
    solver: z.enum(solvers).default("euler").describe("solver by which images are drawn"),
    ema: z
      .number()
      .min(0)
      .lt(1)
      .default(0.995)
      .describe("decay of a moving average of the network's weights, used for samples and export"),
    ...optimizationSettings({ learningRate: 1e-3, beta1: 0.9, beta2: 0.99 }),
  }),
  design(settings, image): RecipeDesign<Flowing> {
    const { classes, prediction, timeMean, timeScale, samplingSteps: steps, solver } = settings;
    const pixels = pixelsOf(image);
    return {
      networks: { flow: uNet(image, settings) },
      ...optimization(settings),
      phases: flowMatching({ pixels, prediction, labelled: classes !== undefined, timeMean, timeScale }),
      exported: {
        kind: "generator",
        network: "flow",
        latent: pixels,
        classes,
        range: [-1, 1],
        trace: ({ flow }, z, label) => solved(flow, { z, label }, { prediction, steps, solver }),
        preview: ({ flow }, z, label) =>
          solved(flow, { z, label }, { prediction, steps: Math.min(steps, PREVIEW_STEPS), solver: "euler" }),
      },
      averageDecay: settings.ema,
      averageWarmUp: true,
      line: "loss:{loss}",
    };
  },
});
