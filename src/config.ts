import { z } from "zod";
import { GanOnnxError, setting, type Text, text } from "./error.js";
import { type ImageShape, type Recipe, type RecipeName, recipeNames, recipes } from "./recipes/index.js";
import { type Configuration, type RunSettings, runSchema } from "./runs/settings.js";
import { suggestion } from "./suggest.js";
import { refusalOf } from "./wanted.js";

export { type RunSettings, runSchema };

/** A checked configuration. */
export type Config = Configuration;

/** The image shape of a run before its data are loaded: as configured, or MNIST's. */
export function imageOf({ channels = 1, size = 28 }: RunSettings): ImageShape {
  return { channels, height: size, width: size };
}

/** Settings as given by the user, not checked. */
export type RawSettings = Readonly<Record<string, unknown>>;

/** Old names of settings. Flags and files may still use them; help does not show them. */
export const formerNames: Readonly<Record<string, string>> = { stepsPerRun: "stepsPerCall" };

/** Replace old names of settings by the current ones. */
export function renamed(settings: RawSettings): RawSettings {
  const today = (key: string) => (Object.hasOwn(formerNames, key) ? formerNames[key] : key);
  const name = (key: string) => (today(key) in settings ? key : today(key));
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [name(key), value]));
}

/** Convert `batchSize` to its flag, `--batch-size`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A setting on the command line: its schema, and the recipes that have it (none means all runs). */
export interface Field {
  readonly schema: z.ZodType;
  readonly recipes: readonly { readonly name: RecipeName; readonly schema: z.ZodType }[];
}

/** All settings of all runs, by key. */
export function allFields(): Readonly<Record<string, Field>> {
  // Without the names that every object has: files may hold them as keys.
  const fields: Record<string, Field> = Object.create(null);
  for (const [key, schema] of Object.entries(runSchema.shape)) fields[key] = { schema, recipes: [] };
  for (const name of recipeNames) {
    for (const [key, schema] of Object.entries<z.ZodType>(recipes[name].settings.shape)) {
      const field = fields[key] ?? { schema, recipes: [] };
      fields[key] = { schema: field.schema, recipes: [...field.recipes, { name, schema }] };
    }
  }
  return fields;
}

/** Settings from a file, not checked. */
interface FileSettings {
  readonly path: string;
  readonly settings: RawSettings;
  /** Returns the name of a setting's field in the file, if it is not the key. */
  readonly field?: (key: string) => string;
}

/**
 * Resolve a configuration: flags override the file, the file overrides the defaults. The result is checked.
 *
 * @param purpose whether the settings are of a new training, or of one that was begun or recorded before.
 * @throws {@link GanOnnxError} (usage) when a setting is wrong or unknown. The message names the flag, or file and
 * field.
 */
export function resolveConfig(
  flags: RawSettings,
  file?: FileSettings,
  purpose: "new" | "recorded" = "new",
): Config {
  const given = renamed(Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)));
  const raw = { ...(file && renamed(file.settings)), ...given };
  const place = (key: string) =>
    key in given || !file ? setting(key) : `${file.path}: ${file.field?.(key) ?? key}`;
  const recipeName = check(runSchema.pick({ recipe: true }), { recipe: raw.recipe }, place)
    .recipe as RecipeName;
  const { settings, usual = {} } = recipes[recipeName] as Recipe;
  const keys = new Set([...Object.keys(runSchema.shape), ...Object.keys(settings.shape)]);
  for (const key of Object.keys(raw)) {
    if (keys.has(key)) continue;
    throw unknownSetting(key, place(key), recipeName, [...keys]);
  }
  const schema = z.strictObject({ ...runSchema.shape, ...settings.shape });
  const pickOf = (from: RawSettings, shape: object) =>
    Object.fromEntries(Object.entries(from).filter(([key]) => key in shape));
  const standard = purpose === "new" ? usual : pickOf(usual, runSchema.shape);
  const flat: Readonly<Record<string, unknown>> = check(schema, { ...standard, ...raw }, place);
  const pick = (shape: object) => pickOf(flat, shape);
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
  const similar = suggestion(key, known);
  const fix = similar ? `did you mean ${similar}?` : `use some of ${known.join(", ")}`;
  return new GanOnnxError({ what: "is not a setting", where, fix, kind: "usage" });
}

/**
 * Check the arguments of a command without a configuration file.
 *
 * @throws {@link GanOnnxError} (usage) when an argument is wrong.
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
