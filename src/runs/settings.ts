import { z } from "zod";
import { backgrounds } from "../data/dataset.js";
import { count, type Design, type RecipeName, recipeNames, recipes, withClasses } from "../recipes/index.js";
import { providerNames } from "../runtime/providers.js";
import { augmentationNames, augmentationsIn } from "../training/augment.js";
import { runtimeNames, runtimes } from "./runtimes.js";

/** The settings of every run. A recipe adds its own settings. */
export const runSchema = z.strictObject({
  recipe: z
    .enum(recipeNames)
    .default("vanilla")
    .describe(
      "what to train (default: vae-gan in train; vanilla with own networks, weights or runtime, and elsewhere)",
    ),
  data: z
    .string()
    .min(1)
    .default("mnist")
    .describe(
      "mnist, fashion-mnist, kmnist, emnist-letters, emnist-digits or emnist-balanced (downloaded once), drawn (digits drawn by this program), or a folder of IDX files or images, also as .zip, .tar or .parquet",
    ),
  ep: z.enum(providerNames).default("cpu").describe("execution provider of ONNX Runtime"),
  device: z.int().min(0).optional().describe("number of the GPU, for cuda (default: 0)"),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe("threads of ONNX Runtime for operators on the CPU (default: one per physical core)"),
  epochs: count(100, "passes over the data (default: 100; of vae-gan 5, of latent-flow 10)"),
  batchSize: count(128, "images per batch (default: 128; of vae-gan and latent-flow 64)"),
  seed: z.int().min(0).default(0).describe("random seed"),
  size: z
    .int()
    .min(4)
    .max(1024)
    .optional()
    .describe("height and width to which images of a folder are resized (default: 28)"),
  channels: z
    .literal([1, 3])
    .optional()
    .describe("1 for gray, 3 for color, for folders of images (default: 1)"),
  background: z
    .enum(backgrounds)
    .optional()
    .describe("color behind transparent pixels (default: the one on which the drawings can be seen)"),
  strict: z
    .boolean()
    .optional()
    .describe("refuse a folder with an image that cannot be read (default: leave it out)"),
  classNames: z
    .array(z.string().min(1))
    .max(256)
    .optional()
    .describe("names of the classes, in order (default: the names of the folders)"),
  augment: z
    .string()
    .refine((list) => augmentationsIn(list) !== undefined, `some of ${augmentationNames.join(",")}`)
    .optional()
    .describe(
      "augment the images, separated by commas: flip (horizontally), shift (by up to 1/8) (default: none)",
    ),
  init: z
    .string()
    .min(1)
    .optional()
    .describe(
      "initial weights: a safetensors file, or a folder written by `export checkpoint` (default: random)",
    ),
  network: z
    .record(z.string(), z.string().min(1))
    .optional()
    .describe("NAME=FILE: replace a network of the recipe by the one in an ONNX file, e.g. generator=g.onnx"),
  fresh: z
    .boolean()
    .optional()
    .describe("start networks from files with random weights, not with the file's"),
  freeze: z
    .array(z.string().min(1))
    .optional()
    .describe(
      "do not train the parameters whose names match, e.g. 'generator.up*'; may be given several times",
    ),
  stepsPerCall: z
    .int()
    .min(1)
    .optional()
    .describe("training steps per call of ONNX Runtime (default: measured, so that copying takes under 2%)"),
  keep: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe("number of newest checkpoints to keep, in case one is damaged (default: 2)"),
  keepEvery: z
    .int()
    .min(1)
    .optional()
    .describe("also keep the checkpoint of every Nth epoch, to export that epoch later (default: none)"),
  keepBest: z
    .boolean()
    .optional()
    .describe("also keep the checkpoint with the best score, to export it; only for runs that are scored"),
  onNan: z
    .enum(["stop", "rollback"])
    .optional()
    .describe(
      "when a number becomes NaN or infinite: stop, or go back to the last checkpoint at half the learning rate, up to 3 times (default: stop)",
    ),
  evaluateEvery: z
    .int()
    .min(1)
    .optional()
    .describe("score the generator after every Nth epoch, as evaluate does (default: never)"),
  evaluateSamples: z
    .int()
    .min(10)
    .optional()
    .describe("samples for each score (default: 10000, or half of the data)"),
  animate: z
    .boolean()
    .optional()
    .describe("also write epochs.png into the run's folder: the sheets of all epochs, as an animated PNG"),
  tensorboard: z
    .boolean()
    .optional()
    .describe("also write event files for TensorBoard into the folder tensorboard of the run"),
  runtime: z
    .enum(runtimeNames)
    .default("onnxruntime")
    .describe(
      `what trains: ${runtimeNames.map((name) => `${name} runs ${runtimes[name].about}`).join("; ")}`,
    ),
});

/** The settings that all runs have. */
export type RunSettings = z.infer<typeof runSchema>;

/** A checked configuration: the settings of the run, those of its recipe, and both as one flat record for files. */
export interface Configuration {
  readonly run: RunSettings;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly flat: Readonly<Record<string, unknown>>;
}

/** Settings as `config.json` has them: with the number of classes of the design, if the recipe needs one. */
export function settledSettings(flat: Configuration["flat"], design: Design): Configuration["flat"] {
  return withClasses(recipes[design.recipe as RecipeName], flat, design.exported.classes);
}
