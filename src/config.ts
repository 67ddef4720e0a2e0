import { z } from "zod";
import { backgrounds } from "./data/dataset.js";
import { GanOnnxError, setting, type Text } from "./error.js";
import { count, type ImageShape, type RecipeName, recipeNames, recipes } from "./recipes/index.js";
import { runtimeNames, runtimes } from "./runs/runtimes.js";
import { providerNames } from "./runtime/providers.js";
import { augmentationNames, augmentationsIn } from "./training/augment.js";

/** What every run is described by; a recipe adds its own settings beside these. */
export const runSchema = z.strictObject({
  recipe: z.enum(recipeNames).default("vanilla").describe("what to train"),
  data: z
    .string()
    .min(1)
    .default("mnist")
    .describe("mnist, drawn (digits made by the program), or a folder of IDX files or images"),
  ep: z.enum(providerNames).default("cpu").describe("execution provider of ONNX Runtime"),
  device: z.int().min(0).optional().describe("which GPU, when there are several (cuda)"),
  epochs: count(100, "passes over the data"),
  batchSize: count(128, "images in a batch"),
  seed: z.int().min(0).default(0).describe("where all random numbers of the run come from"),
  size: z
    .int()
    .min(4)
    .max(1024)
    .optional()
    .describe("height and width of images, for folders of images (default: 28)"),
  channels: z.literal([1, 3]).optional().describe("1 grey, 3 colour, for folders of images (default: 1)"),
  background: z
    .enum(backgrounds)
    .optional()
    .describe("what transparent pixels are laid over (default: what keeps the drawings visible)"),
  strict: z.boolean().optional().describe("refuse a folder of which a picture cannot be read"),
  classNames: z
    .array(z.string().min(1))
    .max(256)
    .optional()
    .describe("names of the classes, in order (default: the folders' names)"),
  augment: z
    .string()
    .refine((list) => augmentationsIn(list) !== undefined, `expected some of ${augmentationNames.join(",")}`)
    .optional()
    .describe(
      "vary the images of each batch, separated by commas: flip (left to right), shift (by up to 1/8)",
    ),
  init: z
    .string()
    .min(1)
    .optional()
    .describe("what to start from: weights as safetensors, or a folder that `export checkpoint` wrote"),
  network: z
    .record(z.string(), z.string().min(1))
    .optional()
    .describe(
      "NAME=FILE: train the network in an ONNX file in place of the recipe's own, e.g. generator=g.onnx",
    ),
  fresh: z.boolean().optional().describe("with --network: draw new weights instead of the file's"),
  freeze: z
    .array(z.string().min(1))
    .optional()
    .describe("keep the parameters whose names match, e.g. 'generator.up*'; may be given several times"),
  stepsPerCall: z
    .int()
    .min(1)
    .optional()
    .describe("training steps in one call of ONNX Runtime (default: measured, so that copies take under 2%)"),
  keep: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe("checkpoints to keep: the newest, and those before it in case it is damaged (default: 2)"),
  keepEvery: z
    .int()
    .min(1)
    .optional()
    .describe("keep a checkpoint every so many epochs as well, for `export --epoch`"),
  evaluateEvery: z
    .int()
    .min(1)
    .optional()
    .describe("score the generator after every so many epochs (default: never; see evaluate)"),
  evaluateSamples: z
    .int()
    .min(10)
    .optional()
    .describe("samples to score by (default: 10000, or half of the data)"),
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
export interface Config {
  readonly run: RunSettings;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly flat: Readonly<Record<string, unknown>>;
}

/** The images of a run whose data nobody has looked at: as large as it asks for, or as MNIST's. */
export function imageOf({ channels = 1, size = 28 }: RunSettings): ImageShape {
  return { channels, height: size, width: size };
}

/** Settings as the user gave them, unchecked. */
export type RawSettings = Readonly<Record<string, unknown>>;

/** Settings by the names that they had before; flags and files may still use them, and nothing offers them. */
export const formerNames: Readonly<Record<string, string>> = { stepsPerRun: "stepsPerCall" };

/** The same settings by the names of today. */
export function renamed(settings: RawSettings): RawSettings {
  const today = (key: string) => formerNames[key] ?? key;
  const name = (key: string) => (today(key) in settings ? key : today(key));
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [name(key), value]));
}

/** `batchSize` as a flag: `--batch-size`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A setting as the command line offers it: its schema, and the recipes that have it (none: all runs do). */
export interface Field {
  readonly schema: z.ZodType;
  readonly recipes: readonly { readonly name: RecipeName; readonly schema: z.ZodType }[];
}

/** Every setting that some run can have, by its key. */
export function allFields(): Readonly<Record<string, Field>> {
  const fields: Record<string, Field> = {};
  for (const [key, schema] of Object.entries(runSchema.shape)) fields[key] = { schema, recipes: [] };
  for (const name of recipeNames) {
    for (const [key, schema] of Object.entries<z.ZodType>(recipes[name].settings.shape)) {
      const field = fields[key] ?? { schema, recipes: [] };
      fields[key] = { schema: field.schema, recipes: [...field.recipes, { name, schema }] };
    }
  }
  return fields;
}

/**
 * Flags over file over defaults, checked as one.
 *
 * @throws GanOnnxError (usage) naming the flag, or the file and field, that is wrong or unknown.
 */
export function resolveConfig(flags: RawSettings, file?: { path: string; settings: RawSettings }): Config {
  const given = renamed(Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)));
  const raw = { ...(file && renamed(file.settings)), ...given };
  const place = (key: string) => (key in given || !file ? setting(key) : `${file.path}: ${key}`);
  const recipeName = check(runSchema.pick({ recipe: true }), { recipe: raw.recipe }, place)
    .recipe as RecipeName;
  const { settings } = recipes[recipeName];
  const keys = new Set([...Object.keys(runSchema.shape), ...Object.keys(settings.shape)]);
  for (const key of Object.keys(raw)) {
    if (keys.has(key)) continue;
    throw new GanOnnxError({
      what: `is not a setting of the recipe ${recipeName}`,
      where: place(key),
      fix: `use some of ${[...keys].join(", ")}`,
      kind: "usage",
    });
  }
  const flat = check(z.strictObject({ ...runSchema.shape, ...settings.shape }), raw, place);
  const pick = (shape: object) => Object.fromEntries(Object.entries(flat).filter(([key]) => key in shape));
  return { run: pick(runSchema.shape) as RunSettings, recipe: pick(settings.shape), flat };
}

/**
 * The arguments of a command that has no configuration file, checked.
 *
 * @throws GanOnnxError (usage) naming the flag that is wrong.
 */
export function parseArguments<S extends z.ZodType>(schema: S, argv: RawSettings): z.infer<S> {
  return check(schema, argv, setting);
}

function check<S extends z.ZodType>(schema: S, raw: unknown, place: (key: string) => Text): z.infer<S> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue.path[0] ?? "configuration");
  const found = (raw as Record<string, unknown>)[key];
  throw new GanOnnxError({
    what: `${typeof found === "number" ? found : JSON.stringify(found)} is not accepted (${issue.message})`,
    where: place(key),
    fix: "correct it, or leave it out for the default",
    kind: "usage",
  });
}
