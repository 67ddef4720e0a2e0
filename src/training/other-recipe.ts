import { declarationsOf } from "../networks/index.js";
import { designOf, type RecipeName, recipeNames, recipes } from "../recipes/index.js";
import { tensorName } from "./names.js";

/** An image shape to create the networks. The names of tensors do not depend on it. */
const image = { channels: 1, height: 32, width: 32 };
const deepest = 5;

/**
 * The recipe that tensor names belong to (`<network>.<tensor>`, or the tensor's own name), for a message about a file
 * that does not match. Undefined when no recipe matches.
 */
export function recipeOf(names: ReadonlySet<string>): RecipeName | undefined {
  return recipeNames.find((recipe) => {
    const { settings } = recipes[recipe];
    const depths =
      "depth" in settings.shape ? Array.from({ length: deepest }, (_, i) => ({ depth: i + 1 })) : [{}];
    return depths.some((depth) => {
      const { networks } = designOf(recipe, settings.parse(depth), image);
      const expected = Object.entries(networks).flatMap(([network, definition]) => {
        const { parameters, buffers } = declarationsOf(definition);
        return [...parameters, ...buffers].map(({ name }) => [tensorName(network, name), name]);
      });
      const counted = [...names].filter((name) => !name.endsWith(".num_batches_tracked")).length;
      return (
        expected.length === counted &&
        expected.every((spellings) => spellings.some((name) => names.has(name)))
      );
    });
  });
}
