import type { Argv, CommandModule } from "yargs";
import { readConfigFile, resolveConfig } from "../config.js";
import { common } from "./options.js";
import { print, say } from "./output.js";

export const exportModel: CommandModule = {
  command: "export <file>",
  describe: "write the generator of a run as an inference model",
  builder: (argv: Argv) =>
    argv
      .positional("file", { type: "string", demandOption: true, describe: "the ONNX file to write" })
      .option("run", common.run)
      .option("json", common.json),
  async handler(argv) {
    const { latestRun } = await import("../training/run-folder.js");
    const run = typeof argv.run === "string" ? argv.run : await latestRun();
    await exportRun(run, String(argv.file), { json: Boolean(argv.json) });
  },
};

/** Export the generator of the run in a folder. */
export async function exportRun(run: string, file: string, { json = false } = {}): Promise<void> {
  const { runFiles } = await import("../training/run-folder.js");
  const { checkState, readCheckpoint } = await import("../training/checkpoint.js");
  const { designOf, imageShapeOf } = await import("../training/recipes/index.js");
  const { exportGenerator } = await import("../export/generator.js");
  const { writeAtomically } = await import("../files.js");

  const files = runFiles(run);
  const checkpoint = await readCheckpoint(files.checkpoint);
  const config = resolveConfig({}, { path: files.config, settings: await readConfigFile(files.config) });
  const { recipe, data } = config.run;
  const design = designOf(recipe, config.recipe, imageShapeOf(checkpoint.position));
  checkState(checkpoint, { recipe, design }, files.checkpoint);
  const model = await exportGenerator(design, checkpoint, data);
  await writeAtomically(file, model);
  const { epoch } = checkpoint.position;
  say(`${file}: the ${design.sampler.network} of ${run} after ${epoch} epochs, ${model.length} bytes`);
  print(json ? JSON.stringify({ file, run, recipe, epoch, bytes: model.length }) : file);
}
