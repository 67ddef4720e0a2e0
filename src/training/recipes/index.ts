import type { Recipe } from "./recipe.js";
import { vanilla } from "./vanilla.js";

export type { Design, ImageShape, Phase, Recipe, Sampler, StepInput } from "./recipe.js";

/** Every recipe by its name on the command line. */
export const recipes = { vanilla } satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];
