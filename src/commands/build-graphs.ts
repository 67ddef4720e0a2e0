import { join } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { imageOf } from "../config.js";
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
    const { run, recipe, flat } = await configOf(argv);
    const { buildArtifacts } = await import("../training/artifacts.js");
    const { designOf } = await import("../training/recipes/index.js");
    const { writeAtomically } = await import("../files.js");

    const image = imageOf(run);
    const design = designOf(run.recipe, recipe, image);
    const artifacts = buildArtifacts(design, image, { recipe: run.recipe, configuration: flat });
    const folder = typeof argv.out === "string" ? argv.out : join("models", run.recipe);
    const [train, manifest] = [join(folder, "train.onnx"), join(folder, "manifest.json")];
    await writeAtomically(train, artifacts.train);
    await writeAtomically(manifest, artifacts.manifest);

    const { nodes } = artifacts.graph.model.graph;
    const total = nodes.reduce((sum, { body }) => sum + 1 + (body?.nodes.length ?? 0), 0);
    say(`${train}: ${total} nodes, ${artifacts.train.length} bytes`);
    print(argv.json ? JSON.stringify({ train, manifest, nodes: total }) : `${train}\n${manifest}`);
  },
};
