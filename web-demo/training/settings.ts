import { hurried, type RecipeName, recipes } from "../../src/recipes/index.js";

/** The settings of a recipe as the page trains it: its defaults, but for vanilla those that show something soon. */
export function settingsOf({
  recipe,
  learningRate,
}: {
  recipe: RecipeName;
  learningRate?: number;
}): Readonly<Record<string, unknown>> {
  const { settings } = recipes[recipe];
  const own = recipe === "vanilla" ? hurried : {};
  return settings.parse({ ...own, ...(learningRate === undefined ? {} : { learningRate }) });
}
