import { join } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { type Config, imageOf } from "../config.js";
import type { Model } from "../graph/index.js";
import { common, configOf, recipeSettings, settingsOptions } from "./options.js";
import { print, say } from "./output.js";

export const buildGraphs: CommandModule = {
  command: "build-graphs",
  describe: "write a recipe's training graph, its manifest, and the artifacts for ORT's training API",
  builder: (argv: Argv) =>
    settingsOptions(argv, [
      "recipe",
      "size",
      "channels",
      "network",
      "fresh",
      "freeze",
      "seed",
      "init",
      ...recipeSettings(),
    ])
      .option("config", common.config)
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "folder to write into (default: models/<recipe>)",
      })
      .option("json", common.json)
      .example("$0 build-graphs --recipe wgan-gp", "write models/wgan-gp/train.onnx")
      .example("$0 build-graphs --width 512 --out big", "a larger network, into the folder big"),
  async handler(argv) {
    const config = await configOf(argv);
    const written = await writeGraphs(config, typeof argv.out === "string" ? argv.out : undefined);
    const { train, manifest, artifacts } = written;
    print(argv.json ? JSON.stringify(written) : [train, manifest, ...artifacts].join("\n"));
  },
};

/**
 * Write `train.onnx` and `manifest.json` of a configuration into a folder, by default `models/<recipe>`. For recipes
 * that ORT's training API supports, also write a sub-folder with its artifacts for each network.
 */
export async function writeGraphs(
  config: Config,
  folder = join("models", config.run.recipe),
): Promise<{ train: string; manifest: string; artifacts: string[]; nodes: number }> {
  const { buildArtifacts } = await import("../training/artifacts.node.js");
  const { designFrom } = await import("../runs/design.js");
  const { obstacle } = await import("../ort-training/artifacts.js");
  const { writeOrtArtifacts } = await import("../ort-training/files.js");
  const { startingState } = await import("../runs/starting-state.js");
  const { encodeStart } = await import("../training/start.js");
  const { writeAtomically } = await import("../files.node.js");
  const { hasExternalData } = await import("../onnx/patch.js");

  const { settledSettings } = await import("../runs/settings.js");

  const { run, flat } = config;
  const { design, files, notes } = await designFrom(config, imageOf(run));
  for (const note of notes) say(note);
  const whole = [...files].filter(([, { bytes }]) => !hasExternalData(bytes));
  if (whole.length < files.size)
    say(
      `${folder}: the page cannot train this: weights are stored in other files, which a manifest cannot contain`,
    );
  const { state, remark } = await startingState(run, design);
  if (remark !== undefined) say(remark);
  const built = buildArtifacts(design, settledSettings(flat, design), {
    files: new Map(whole),
    start: run.init === undefined ? undefined : encodeStart(design, state, run.seed),
  });
  const [train, manifest] = [join(folder, "train.onnx"), join(folder, "manifest.json")];
  await writeAtomically(train, built.train);
  await writeAtomically(manifest, built.manifest);
  const nodes = nodesIn(built.graph.model.graph);
  say(`${train}: ${nodes} nodes, ${built.train.length} bytes`);

  const reason = obstacle(design);
  if (reason !== undefined) {
    say(`${folder}: no artifacts of ORT's training API: ${reason}`);
    return { train, manifest, artifacts: [], nodes };
  }
  const artifacts = await writeOrtArtifacts(folder, design, state);
  return { train, manifest, artifacts, nodes };
}

/** The nodes of a graph and of those inside it. */
function nodesIn({ nodes }: Model["graph"]): number {
  return nodes.reduce(
    (sum, { bodies = {} }) => sum + 1 + Object.values(bodies).reduce((all, body) => all + nodesIn(body), 0),
    0,
  );
}
