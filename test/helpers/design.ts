import { z } from "zod";
import { type Design, designOf, type ImageShape, recipes } from "../../src/recipes/index.js";
import { buildArtifacts, type TrainingArtifacts } from "../../src/training/artifacts.node.js";

/** Settings of a vanilla GAN that trains very fast. */
export const tinySettings = {
  latent: 4,
  width: 8,
  depth: 2,
  learningRate: 3e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
} as const;

export const tinyImage: ImageShape = { channels: 1, height: 3, width: 3 };

/** A small design of the recipe vanilla. */
export function tinyDesign(settings: Readonly<Record<string, unknown>> = {}, image = tinyImage): Design {
  return designOf("vanilla", recipes.vanilla.settings.parse({ ...tinySettings, ...settings }), image);
}

/** The training graph and the manifest of {@link tinyDesign}, or of another design. */
export function tinyArtifacts(design = tinyDesign()): TrainingArtifacts {
  return buildArtifacts(design, tinySettings);
}

const parameters = z.array(
  z.object({
    name: z.string(),
    shape: z.array(z.int()),
    state: z.string(),
    offset: z.int(),
    size: z.int(),
  }),
);

/** The positions of parameters in the manifest, by names such as `generator.gen.0.weight`. */
export function placesOf({ manifest }: TrainingArtifacts): z.infer<typeof parameters> {
  return z.object({ parameters }).parse(JSON.parse(manifest)).parameters;
}
