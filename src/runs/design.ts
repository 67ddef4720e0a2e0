import { readBytes } from "../files.node.js";
import { designOf, type ImageShape, type RecipeName } from "../recipes/index.js";
import type { Designed, GivenFile } from "../training/file-design.js";

export type { Designed } from "../training/file-design.js";

/** The parts of a configuration that a design is made from. */
export interface DesignSource {
  readonly run: {
    readonly recipe: RecipeName;
    readonly network?: Readonly<Record<string, string>>;
    readonly fresh?: boolean;
    readonly freeze?: readonly string[];
  };
  readonly recipe: Readonly<Record<string, unknown>>;
}

/**
 * The design of a configuration, with networks from files and frozen parameters.
 *
 * @param locate returns the file of a network if it is not where the configuration says: a run has its own copy.
 * @throws {@link GanOnnxError} when a file cannot be read or does not match, the recipe does not have a network, or no
 * parameter matches a pattern.
 */
export async function designFrom(
  { run, recipe }: DesignSource,
  image: ImageShape,
  locate: (network: string, file: string) => string = (_, file) => file,
): Promise<Designed> {
  const { network = {}, fresh, freeze = [] } = run;
  if (Object.keys(network).length + freeze.length === 0)
    return { design: designOf(run.recipe, recipe, image), files: new Map(), notes: [] };
  const { designWithFiles } = await import("../training/file-design.js");
  const { filesBeside } = await import("../onnx/file.node.js");
  const files = await Promise.all(
    Object.entries(network).map(async ([name, file]): Promise<[string, GivenFile]> => {
      const path = locate(name, file);
      return [name, { path, bytes: await readBytes(path, "usage"), externalData: filesBeside(path) }];
    }),
  );
  return designWithFiles({ ...run, settings: recipe, image, files: new Map(files), fresh, freeze });
}
