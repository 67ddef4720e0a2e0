import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { parseArguments, runSchema } from "../config.js";
import { GanOnnxError } from "../error.js";
import { common, settingsOptions } from "./options.js";
import { print } from "./output.js";

const schema = z.object({
  model: z.string(),
  out: z
    .string()
    .refine((path) => !/\.(jpe?g|webp|gif|bmp|tiff?)$/i.test(path), "the name of a PNG")
    .default("samples.png"),
  count: z.int().min(1).max(65_536).default(64),
  columns: z.int().min(1).optional(),
  seed: runSchema.shape.seed,
  digits: z
    .string()
    .regex(/^[0-9]+$/, "digits such as 0123456789")
    .optional(),
  classes: z.string().min(1).optional(),
  ep: runSchema.shape.ep,
  device: runSchema.shape.device,
  json: z.boolean().default(false),
});

export const sample: CommandModule = {
  command: "sample <model>",
  describe: "draw a sheet of samples from an exported generator",
  builder: (argv: Argv) =>
    settingsOptions(argv, ["ep", "device", "seed"])
      .positional("model", { type: "string", demandOption: true, describe: "a model written by export" })
      .option("count", { type: "number", requiresArg: true, describe: "number of images (default: 64)" })
      .option("columns", {
        type: "number",
        requiresArg: true,
        describe: "images per row (default: a nearly square sheet)",
      })
      .option("digits", {
        type: "string",
        requiresArg: true,
        describe: "digits to draw, in turn, e.g. 0123456789 (default: all in turn)",
      })
      .option("classes", {
        type: "string",
        requiresArg: true,
        describe: "classes to draw, in turn: numbers or names, separated by commas (default: all in turn)",
      })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "PNG to write (default: samples.png)",
      })
      .option("json", common.json)
      .example("$0 sample generator.onnx --count 100 --columns 10", "100 images in rows of 10")
      .example(
        "$0 sample conditional.onnx --digits 7 --out sevens.png",
        "sevens, with a conditional generator",
      ),
  async handler(argv) {
    const { model, out, count, columns, seed, digits, classes, json, ...place } = parseArguments(
      schema,
      argv,
    );
    if (digits !== undefined && classes !== undefined) {
      const [what, where] = ["cannot be combined with --digits", "--classes"];
      throw new GanOnnxError({ what, where, fix: "use one of them", kind: "usage" });
    }
    const { sampleSheet } = await import("../export/sample.node.js");
    const { readBytes, writeAtomically } = await import("../files.node.js");
    const bytes = await readBytes(model);
    const options = {
      count,
      columns,
      seed,
      digits: digits === undefined ? undefined : Array.from(digits, Number),
      classes: classes?.split(",").map((name) => name.trim()),
      place,
      where: model,
    };
    await writeAtomically(out, await sampleSheet(bytes, options));
    print(json ? JSON.stringify({ file: out, model, count, seed }) : out);
  },
};
