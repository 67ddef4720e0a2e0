import type { Replace } from "../networks/index.js";
import { classifier } from "./classifier.js";
import { conditional } from "./conditional.js";
import { dcgan } from "./dcgan.js";
import { type Design, type ImageShape, imageShapeOf } from "./design.js";
import type { Recipe } from "./recipe.js";
import { vae } from "./vae.js";
import { hurried, vanilla } from "./vanilla.js";
import { wganGp } from "./wgan-gp.js";

export {
  type Classifier,
  type Design,
  type ImageShape,
  imageShapeOf,
  type Phase,
  pixelsOf,
  type Sampler,
  type StepInput,
  samplerOf,
} from "./design.js";
export { count, type Recipe } from "./recipe.js";

export { hurried };

/** Every recipe by its name on the command line. */
export const recipes = { vanilla, "wgan-gp": wganGp, vae, dcgan, conditional, classifier } satisfies Record<
  string,
  Recipe
>;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];

/** The recipes that learn to draw. */
export const drawingRecipes = recipeNames.filter((name) => name !== "classifier");

/**
 * The design that a recipe makes of its settings, as a checked configuration holds them.
 *
 * @param replace networks that take the place of the recipe's own; none unless given.
 */
export function designOf(
  recipe: RecipeName,
  settings: Readonly<Record<string, unknown>>,
  image: ImageShape,
  replace: Replace = () => undefined,
): Design {
  const shape = imageShapeOf(image);
  return { recipe, image: shape, ...recipes[recipe].design(settings, shape, replace) };
}
