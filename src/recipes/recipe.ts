import { z } from "zod";
import type { Replace } from "../networks/index.js";
import type { ImageShape, Networks, RecipeDesign } from "./design.js";

/** A recipe: a design, and its settings with their defaults. */
export interface Recipe<S extends z.ZodObject = z.ZodObject> {
  readonly title: string;
  /** When to expect good images, if that takes long. */
  readonly patience?: string;
  readonly settings: S;
  /**
   * Defaults of new trainings with this recipe: of settings of all runs, and of its own settings. For what was trained
   * or recorded before, a setting of its own that is not named has the schema's default.
   */
  readonly usual?: Readonly<Record<string, number>>;
  /**
   * @param replace networks that replace the recipe's own, e.g. from files.
   */
  design(settings: z.infer<S>, image: ImageShape, replace: Replace): RecipeDesign;
}

/** Define a recipe. It only checks that the types match. */
export function defineRecipe<S extends z.ZodObject, N extends Networks>(recipe: {
  readonly title: string;
  readonly patience?: string;
  readonly settings: S;
  readonly usual?: Recipe["usual"];
  design(settings: z.infer<S>, image: ImageShape, replace: Replace): RecipeDesign<N>;
}): Recipe {
  return recipe as unknown as Recipe;
}

/** A whole number of at least 1, with a default: for sizes and counts. */
export const count = (standard: number, about: string) => z.int().min(1).default(standard).describe(about);

/** The number of MNIST's classes: the default of a recipe with classes when no data are loaded. */
export const MNIST_CLASSES = 10;

/** The setting of a recipe that requires classes. The default in a run is the number of classes in the data. */
export const classCount = z
  .int()
  .min(1)
  .optional()
  .describe("number of classes (default: as many as the data has)");

/**
 * Add the number of classes to the settings of a recipe that requires it, if it is missing. The order is that of the
 * recipe's schema.
 */
export function withClasses<Settings extends Readonly<Record<string, unknown>>>(
  recipe: Recipe,
  settings: Settings,
  classes: number | undefined,
): Settings {
  const keys = Object.keys(recipe.settings.shape);
  const isSettled = recipe.settings.shape.classes !== classCount || settings.classes !== undefined;
  if (isSettled || classes === undefined) return settings;
  const known: Readonly<Record<string, unknown>> = { ...settings, classes };
  const others = Object.keys(settings).filter((key) => !keys.includes(key));
  const order = [...others, ...keys.filter((key) => key in known)];
  return Object.fromEntries(order.map((key) => [key, known[key]])) as Settings;
}
