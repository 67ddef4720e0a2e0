import { z } from "zod";
import type { Replace } from "../networks/index.js";
import type { ImageShape, Networks, RecipeDesign } from "./design.js";

/** A recipe: a design, and its settings with their defaults. */
export interface Recipe<S extends z.ZodObject = z.ZodObject> {
  readonly title: string;
  readonly settings: S;
  /**
   * @param replace networks that replace the recipe's own, e.g. from files.
   */
  design(settings: z.infer<S>, image: ImageShape, replace: Replace): RecipeDesign;
}

/** Define a recipe. It only checks that the types match. */
export function defineRecipe<S extends z.ZodObject, N extends Networks>(recipe: {
  readonly title: string;
  readonly settings: S;
  design(settings: z.infer<S>, image: ImageShape, replace: Replace): RecipeDesign<N>;
}): Recipe {
  return recipe as unknown as Recipe;
}

/** A whole number of at least 1, with a default: for sizes and counts. */
export const count = (standard: number, about: string) => z.int().min(1).default(standard).describe(about);
