import { join } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { type Config, imageOf } from "../config.js";
import { common, configOf, settingsOptions } from "./options.js";
import { print, say } from "./output.js";

export const buildGraphs: CommandModule = {
  command: "build-graphs",
  describe: "write the training graph of a recipe, and its manifest",
  builder: (argv: Argv) =>
    settingsOptions(argv)
      .option("config", common.config)
      .option("out", { type: "string", requiresArg: true, describe: "folder (default: models/<recipe>)" })
      .option("json", common.json),
  async handler(argv) {
    const config = await configOf(argv);
    const { train, manifest, nodes } = await writeGraphs(
      config,
      typeof argv.out === "string" ? argv.out : undefined,
    );
    print(argv.json ? JSON.stringify({ train, manifest, nodes }) : `${train}\n${manifest}`);
  },
};

/** Write `train.onnx` and `manifest.json` of a configuration into a folder, `models/<recipe>` unless given. */
export async function writeGraphs(
  config: Config,
  folder = join("models", config.run.recipe),
): Promise<{ train: string; manifest: string; nodes: number }> {
  const { buildArtifacts } = await import("../training/artifacts.js");
  const { designOf } = await import("../training/recipes/index.js");
  const { writeAtomically } = await import("../files.js");

  const { run, recipe, flat } = config;
  const image = imageOf(run);
  const design = designOf(run.recipe, recipe, image);
  const artifacts = buildArtifacts(design, image, { recipe: run.recipe, configuration: flat });
  const [train, manifest] = [join(folder, "train.onnx"), join(folder, "manifest.json")];
  await writeAtomically(train, artifacts.train);
  await writeAtomically(manifest, artifacts.manifest);

  const nodes = artifacts.graph.model.graph.nodes.reduce(
    (sum, { body }) => sum + 1 + (body?.nodes.length ?? 0),
    0,
  );
  say(`${train}: ${nodes} nodes, ${artifacts.train.length} bytes`);
  return { train, manifest, nodes };
}
