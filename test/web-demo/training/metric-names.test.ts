import { expect, test } from "vitest";
import { recipeNames } from "../../../src/recipes/index.js";
import { buildStepGraph } from "../../../src/training/step-graph.js";
import { metricNames } from "../../../web-demo/training/metric-names.js";
import { designed, grey } from "../../helpers/recipes.js";
import { about } from "../../helpers/run.js";

test("every metric of a recipe has a name on the page", () => {
  // The graph of vae-gan grows with its latent.
  const small = { latent: 2, classes: 3, classifierWeight: 1 };
  const designs = recipeNames.map((recipe) => designed(recipe, recipe === "vae-gan" ? small : {}, grey(8)));
  const names = designs.flatMap((design) => buildStepGraph(design, about).metrics.map(({ name }) => name));
  // Discriminators may be held back by a penalty.
  const all = [...new Set([...names, "r1"])].toSorted();
  expect(Object.keys(metricNames).toSorted()).toEqual(all);
});
