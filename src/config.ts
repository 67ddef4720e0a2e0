import { z } from "zod";
import { backgrounds } from "./data/dataset.js";
import { GanOnnxError, setting, type Text, text } from "./error.js";
import { count, type ImageShape, type RecipeName, recipeNames, recipes } from "./recipes/index.js";
import { runtimeNames, runtimes } from "./runs/runtimes.js";
import { providerNames } from "./runtime/providers.js";
import { suggestion } from "./suggest.js";
import { augmentationNames, augmentationsIn } from "./training/augment.js";
import { refusalOf } from "./wanted.js";

/** What every run is described by; a recipe adds its own settings beside these. */
export const runSchema = z.strictObject({
  recipe: z.enum(recipeNames).default("vanilla").describe("what to train"),
  data: z
    .string()
    .min(1)
    .default("mnist")
    .describe(
      "mnist, fashion-mnist or kmnist (downloaded once), drawn (digits drawn by this program), or a folder of IDX files or images",
    ),
  ep: z.enum(providerNames).default("cpu").describe("execution provider of ONNX Runtime"),
  device: z.int().min(0).optional().describe("number of the GPU, for cuda (default: 0)"),
  epochs: count(100, "passes over the data"),
  batchSize: count(128, "images per batch"),
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
  fresh: z.boolean().optional().describe("with --network: start from random weights, not from the file's"),
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
    .describe("also keep the checkpoint of every Nth epoch, for `export --epoch` (default: none)"),
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
    throw unknownSetting(key, place(key), recipeName, [...keys]);
  }
  const flat = check(z.strictObject({ ...runSchema.shape, ...settings.shape }), raw, place);
  const pick = (shape: object) => Object.fromEntries(Object.entries(flat).filter(([key]) => key in shape));
  return { run: pick(runSchema.shape) as RunSettings, recipe: pick(settings.shape), flat };
}

function unknownSetting(
  key: string,
  where: Text,
  recipe: RecipeName,
  known: readonly string[],
): GanOnnxError {
  const others = allFields()[key]?.recipes.map(({ name }) => name) ?? [];
  if (others.length > 0) {
    const what = `is a setting of the recipe${others.length > 1 ? "s" : ""} ${others.join(", ")}, not of ${recipe}`;
    const fix = text`leave it out, or choose ${setting("recipe", others[0])}`;
    return new GanOnnxError({ what, where, fix, kind: "usage" });
  }
  const meant = suggestion(key, known);
  const fix = meant ? `did you mean ${meant}?` : `use some of ${known.join(", ")}`;
  return new GanOnnxError({ what: "is not a setting", where, fix, kind: "usage" });
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
  throw new GanOnnxError({
    what: refusalOf(parsed.error, schema, raw),
    where: place(String(parsed.error.issues[0].path[0] ?? "configuration")),
    fix: "correct it, or leave it out for the default",
    kind: "usage",
  });
}
