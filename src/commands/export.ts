import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { type Config, parseArguments, type RawSettings, resolveConfig } from "../config.js";
import { GanOnnxError } from "../error.js";
import type { Loss } from "../evaluation/loss.node.js";
import type { Ports } from "../networks/index.js";
import { type FileOptions, precisions } from "../onnx/form.js";
import type { Design } from "../recipes/index.js";
import { readConfigFile } from "../runs/config-file.js";
import type { Designed } from "../runs/design.js";
import type { Checkpoint } from "../training/checkpoint.js";
import { common, settingsOptions } from "./options.js";
import { print, say } from "./output.js";

export const exportModel: CommandModule = {
  command: "export",
  describe: "export the generator of a run, its weights, or its state for ORT's training API",
  builder: (argv: Argv) => argv.command(exportFile).command(exportCheckpoint),
  handler() {}, // The two commands above do the work. The first is the default.
};

/** Settings for drawing images. They may differ from those of the training. */
const sampling = ["samplingSteps", "solver", "temperature"];

const exportFile: CommandModule = {
  command: "$0 <file>",
  describe: "export the generator of a run as an inference model, or the weights of all its networks",
  builder: (argv: Argv) =>
    settingsOptions(argv, sampling)
      .positional("file", { type: "string", demandOption: true, describe: "the file to write" })
      .option("format", {
        choices: ["onnx", "safetensors"] as const,
        default: "onnx",
        describe: "onnx: the generator; safetensors: the weights of all networks, with PyTorch's names",
      })
      .option("epoch", {
        type: "string",
        requiresArg: true,
        describe: "an epoch that --keep-every kept, or best: what --keep-best kept (default: the newest)",
      })
      .option("precision", {
        choices: precisions,
        default: "fp32",
        describe:
          "store the weights as float32, as float16 or as 8-bit integers with a scale for each channel; what this loses is measured",
      })
      .option("batch", {
        type: "number",
        requiresArg: true,
        describe: "fix the batch size of the model (default: it stays variable)",
      })
      .option("opset", {
        type: "number",
        requiresArg: true,
        describe: "version of ONNX's operator set that the file declares (default: 17)",
      })
      .option("run", common.run)
      .option("json", common.json)
      .example("$0 export generator.onnx", "the generator of the latest run")
      .example("$0 export small.onnx --precision int8", "a quarter of the size"),
  async handler(argv) {
    const { precision, batch, opset } = parseArguments(formSchema, {
      precision: argv.precision,
      batch: argv.batch,
      opset: argv.opset,
    });
    const format = argv.format === "safetensors" ? "safetensors" : "onnx";
    checkName(String(argv.file), format);
    await exportRun(await runOf(argv), String(argv.file), {
      epoch: epochIn(argv),
      format,
      sampling: Object.fromEntries(sampling.map((key) => [key, argv[key]])),
      form: { precision, batch, opset },
      json: Boolean(argv.json),
    });
  },
};

const formSchema = z.object({
  precision: z.enum(precisions).default("fp32"),
  batch: z.int().min(1).max(65_536).optional(),
  opset: z.int().min(7).max(26).optional(),
});

const exportCheckpoint: CommandModule = {
  command: "checkpoint <folder>",
  describe: "export the state of a run as checkpoints of ORT's training API, one per network",
  builder: (argv: Argv) =>
    argv
      .positional("folder", { type: "string", demandOption: true, describe: "the folder to write into" })
      .option("epoch", {
        type: "string",
        requiresArg: true,
        describe: "an epoch that --keep-every kept, or best: what --keep-best kept (default: the newest)",
      })
      .option("run", common.run)
      .option("json", common.json)
      .example("$0 export checkpoint ort", "the latest run, into the folder ort")
      .example("$0 export checkpoint ort --run runs/mine", "of another run"),
  async handler(argv) {
    const { writeOrtCheckpoints } = await import("../ort-training/files.js");
    const { requireOrtForm } = await import("../ort-training/artifacts.js");
    const [run, folder] = [await runOf(argv), String(argv.folder)];
    const { design, checkpoint, config } = await readRun(run, { moments: true, epoch: epochIn(argv) });
    requireOrtForm(design, "export checkpoint");
    const files = await writeOrtCheckpoints(folder, design, checkpoint.state);
    const { recipe } = config.run;
    const { epoch, step } = checkpoint.position;
    say(`${folder}: the state of ${run} at epoch ${epoch}, step ${step}`);
    print(argv.json ? JSON.stringify({ files, run, recipe, epoch, step }) : files.join("\n"));
  },
};

/** @throws {@link GanOnnxError} (usage) when it is neither an epoch nor the best one. */
function epochIn(argv: Readonly<Record<string, unknown>>): number | "best" | undefined {
  const epoch = z
    .string()
    .regex(/^(\d{1,9}|best)$/, "the number of an epoch, or best")
    .optional();
  const asked = parseArguments(z.object({ epoch }), { epoch: argv.epoch }).epoch;
  return asked === undefined || asked === "best" ? asked : Number(asked);
}

async function runOf(argv: Readonly<Record<string, unknown>>): Promise<string> {
  const { latestRun } = await import("../runs/run-folder.js");
  return typeof argv.run === "string" ? argv.run : latestRun();
}

interface ExportOptions {
  readonly format?: "onnx" | "safetensors";
  readonly json?: boolean;
  /** How the model is stored. */
  readonly form?: FileOptions;
  /** The epoch of the checkpoint. The default is the newest checkpoint. */
  readonly epoch?: number | "best";
  /** Settings that override the run's. */
  readonly sampling?: RawSettings;
}

/** Refuse a name that promises another form: `w.safetensors` without `--format`, or a picture. */
function checkName(file: string, format: "onnx" | "safetensors"): void {
  const extension = /\.(onnx|safetensors|pt|pth|png|jpe?g|json)$/i.exec(file)?.[1].toLowerCase();
  if (extension === undefined || extension === format) return;
  throw new GanOnnxError({
    what: `is no name for ${format}, which is what would be written`,
    where: file,
    fix:
      extension === "onnx" || extension === "safetensors"
        ? `add --format ${extension}, or end the name in .${format}`
        : `end the name in .${format}`,
    kind: "usage",
  });
}

/** Export the run in a folder: its generator, or the weights of all its networks. */
export async function exportRun(
  run: string,
  file: string,
  { format = "onnx", json = false, epoch: wanted, sampling, form = {} }: ExportOptions = {},
): Promise<void> {
  const { exportNetwork, originalOf } = await import("../export/network.js");
  const { opensOn } = await import("../runtime/session.node.js");
  const { encodeWeights } = await import("../training/weights.js");
  const { writeAtomically } = await import("../files.node.js");

  const { design, files, checkpoint, config } = await readRun(run, {
    moments: false,
    epoch: wanted,
    sampling,
  });
  const { recipe, data: name, classNames } = config.run;
  const { precision = "fp32", batch, opset } = form;
  const isOther = precision !== "fp32" || batch !== undefined || opset !== undefined;
  if (isOther && format !== "onnx") {
    const [what, where] = ["stores weights as they are", "--format safetensors"];
    const fix = "leave --precision, --batch and --opset out";
    throw new GanOnnxError({ what, where, fix, kind: "usage" });
  }
  const original =
    format === "onnx"
      ? await exportNetwork(
          design,
          checkpoint,
          { name, classNames },
          opensOn({ ep: "cpu" }),
          originalOf(design, files),
        )
      : encodeWeights(design, checkpoint.state);
  const ports = files.get(design.exported.network)?.network.ports;
  const found = isOther ? await inForm(original, design, { ...form, ports }) : undefined;
  const bytes = found?.bytes ?? original;
  await writeAtomically(file, bytes);
  const { epoch } = checkpoint.position;
  const what = format === "onnx" ? `the ${design.exported.network}` : "all weights";
  say(`${file}: ${what} of ${run} after epoch ${epoch}, ${bytes.length} bytes`);
  if (precision !== "fp32") for (const line of lossLines(found, precision, original.length)) say(line);
  const told = found && { precision, batch, opset, difference: found.difference, loss: found.loss };
  print(json ? JSON.stringify({ file, run, format, recipe, epoch, bytes: bytes.length, ...told }) : file);
}

interface InForm {
  readonly bytes: Uint8Array;
  readonly difference: number;
  readonly loss?: Loss;
}

/** A model in another form. If its weights have less precision, with a comparison of the samples by the judge. */
async function inForm(
  original: Uint8Array,
  design: Design,
  form: FileOptions & { readonly ports?: Ports },
): Promise<InForm> {
  const { reducedModel } = await import("../export/reduced.js");
  const { opensOn } = await import("../runtime/session.node.js");
  const open = opensOn({ ep: "cpu" });
  const found = await reducedModel(original, design, form, open);
  const { precision = "fp32" } = form;
  if (precision === "fp32" || design.exported.kind !== "generator") return found;
  const { lossOf } = await import("../evaluation/loss.node.js");
  const { readGenerator } = await import("../export/description.js");
  const { bytes } = await reducedModel(original, design, { precision, ports: form.ports }, open);
  const generator = readGenerator(original, "the exported model");
  return { ...found, loss: await lossOf(generator, [original, bytes], open) };
}

function lossLines(found: InForm | undefined, precision: string, original: number): string[] {
  if (!found) return [];
  const { bytes, difference, loss } = found;
  const number = (value: number) => String(Number(value.toPrecision(3)));
  const size = `${precision}: ${((100 * bytes.length) / original).toFixed(0)}% of the size with float32`;
  if (!loss) return [`${size}; largest difference of an output ${number(difference)}`];
  return [
    `${size}; largest difference of an output ${number(difference)}; distance between the samples of both ` +
      `${number(loss.distance)}, the same class in ${number(100 * loss.sameClass)}% (${loss.samples} samples of each, ` +
      `judge ${loss.judge})`,
  ];
}

/** Read and check a run's folder. `moments` says whether the optimizer slots are required. */
async function readRun(
  run: string,
  {
    moments,
    epoch,
    sampling = {},
  }: { readonly moments: boolean; readonly epoch?: number | "best"; readonly sampling?: RawSettings },
): Promise<Omit<Designed, "notes"> & { checkpoint: Checkpoint; config: Config }> {
  const { requireResumable } = await import("../runs/runtimes.js");
  const { checkpointOfEpoch, newestCheckpoint } = await import("../runs/checkpoints.js");
  const { networkIn, requireFolder, runFiles } = await import("../runs/run-folder.js");
  requireFolder(run);
  const { checkState } = await import("../training/checkpoint.js");
  const { designFrom } = await import("../runs/design.js");

  const files = runFiles(run);
  const { checkpoint, path } =
    epoch === undefined ? await newestCheckpoint(run, say) : await checkpointOfEpoch(run, epoch);
  const file = { path: files.config, settings: await readConfigFile(files.config) };
  const config = resolveConfig(sampling, file, "recorded");
  if (moments) requireResumable(config.run, run);
  const { design, files: networks } = await designFrom(config, checkpoint.position, networkIn(run));
  checkState(checkpoint, design, path, { slots: moments });
  return { design, files: networks, checkpoint, config };
}
