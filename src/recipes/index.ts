import type { Replace } from "../networks/index.js";
import { classifier } from "./classifier.js";
import { conditional } from "./conditional.js";
import { dcgan } from "./dcgan.js";
import { type Design, type ImageShape, imageShapeOf } from "./design.js";
import { flow } from "./flow.js";
import { latentFlow } from "./latent-flow.js";
import { r3gan } from "./r3gan.js";
import type { Recipe } from "./recipe.js";
import { vae } from "./vae.js";
import { vaeGan } from "./vae-gan.js";
import { hurried, vanilla } from "./vanilla.js";
import { wganGp } from "./wgan-gp.js";

export {
  type Classifier,
  countsSteps,
  type Design,
  type ImageShape,
  imageShapeOf,
  lineOf,
  type Phase,
  pixelsOf,
  type Sampler,
  type StepInput,
  samplerOf,
  updatedBy,
  type Window,
} from "./design.js";
export { count, type Recipe, withClasses } from "./recipe.js";

export { hurried };

/** All recipes, by their name on the command line. */
export const recipes = {
  vanilla,
  "wgan-gp": wganGp,
  vae,
  dcgan,
  conditional,
  r3gan,
  flow,
  "latent-flow": latentFlow,
  "vae-gan": vaeGan,
  classifier,
} satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];

/**
 * The design of a recipe with given settings.
 *
 * @param settings checked settings of a configuration.
 * @param replace networks that replace the recipe's own. The default is none.
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
