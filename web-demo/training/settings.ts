import { hurried, type RecipeName, recipes } from "../../src/recipes/index.js";

/** The settings of a recipe on the page: its defaults; for vanilla, those that show results soon. */
export function settingsOf({
  recipe,
  settings: own = recipe === "vanilla" ? hurried : {},
  learningRate,
}: {
  recipe: RecipeName;
  settings?: Readonly<Record<string, unknown>>;
  learningRate?: number;
}): Readonly<Record<string, unknown>> {
  return recipes[recipe].settings.parse({ ...own, ...(learningRate === undefined ? {} : { learningRate }) });
}
