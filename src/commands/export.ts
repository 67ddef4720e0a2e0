import type { Argv, CommandModule } from "yargs";
import { readConfigFile, resolveConfig } from "../config.js";
import { common } from "./options.js";
import { print, say } from "./output.js";

export const exportModel: CommandModule = {
  command: "export <file>",
  describe: "write the generator of a run as an inference model, or all weights of the run",
  builder: (argv: Argv) =>
    argv
      .positional("file", { type: "string", demandOption: true, describe: "the file to write" })
      .option("format", {
        choices: ["onnx", "safetensors"] as const,
        default: "onnx",
        describe: "onnx: the generator; safetensors: the weights of all networks, named as in PyTorch",
      })
      .option("run", common.run)
      .option("json", common.json),
  async handler(argv) {
    const { latestRun } = await import("../training/run-folder.js");
    const run = typeof argv.run === "string" ? argv.run : await latestRun();
    await exportRun(run, String(argv.file), {
      format: argv.format === "safetensors" ? "safetensors" : "onnx",
      json: Boolean(argv.json),
    });
  },
};

interface ExportOptions {
  readonly format?: "onnx" | "safetensors";
  readonly json?: boolean;
}

/** Export the run in a folder: its generator, or the weights of all its networks. */
export async function exportRun(
  run: string,
  file: string,
  { format = "onnx", json = false }: ExportOptions = {},
): Promise<void> {
  const { runFiles } = await import("../training/run-folder.js");
  const { checkState, readCheckpoint } = await import("../training/checkpoint.js");
  const { designOf, imageShapeOf } = await import("../training/recipes/index.js");
  const { exportGenerator } = await import("../export/generator.js");
  const { encodeWeights } = await import("../training/weights.js");
  const { writeAtomically } = await import("../files.js");

  const files = runFiles(run);
  const checkpoint = await readCheckpoint(files.checkpoint);
  const config = resolveConfig({}, { path: files.config, settings: await readConfigFile(files.config) });
  const { recipe, data } = config.run;
  const design = designOf(recipe, config.recipe, imageShapeOf(checkpoint.position));
  checkState(checkpoint, { recipe, design }, files.checkpoint);
  const bytes =
    format === "onnx"
      ? await exportGenerator(design, checkpoint, data)
      : encodeWeights(design, checkpoint.state);
  await writeAtomically(file, bytes);
  const { epoch } = checkpoint.position;
  const what = format === "onnx" ? `the ${design.sampler.network}` : "all weights";
  say(`${file}: ${what} of ${run} after ${epoch} epochs, ${bytes.length} bytes`);
  print(json ? JSON.stringify({ file, run, format, recipe, epoch, bytes: bytes.length }) : file);
}
