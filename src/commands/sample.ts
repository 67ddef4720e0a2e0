import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { parseArguments, runSchema } from "../config.js";
import { GanOnnxError } from "../error.js";
import { common, settingsOptions } from "./options.js";
import { print } from "./output.js";

const schema = z.object({
  model: z.string().optional(),
  out: z
    .string()
    .refine((path) => !/\.(jpe?g|webp|gif|bmp|tiff?)$/i.test(path), "the name of a PNG")
    .default("samples.png"),
  count: z.int().min(1).max(65_536).optional(),
  columns: z.int().min(1).max(65_536).optional(),
  scale: z.int().min(1).max(64).optional(),
  walk: z.boolean().default(false),
  styleGrid: z.boolean().default(false),
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
  command: "sample [model]",
  describe: "draw a sheet of samples from an exported generator",
  builder: (argv: Argv) =>
    settingsOptions(argv, ["ep", "device", "seed"])
      .positional("model", {
        type: "string",
        describe: "a model written by export (default: digits in the package, learnt from MNIST)",
      })
      .option("count", {
        type: "number",
        requiresArg: true,
        describe: "number of images (default: 64; 10 for each row with --walk or --style-grid)",
      })
      .option("columns", {
        type: "number",
        requiresArg: true,
        describe: "images per row (default: one for each class, or a nearly square sheet)",
      })
      .option("scale", {
        type: "number",
        requiresArg: true,
        describe:
          "size of a pixel of the images, in pixels; 1 also leaves out the class names at the margin (default: a sheet about 800 pixels wide)",
      })
      .option("walk", {
        type: "boolean",
        describe: "interpolate between two latents in each row (default: false)",
      })
      .option("style-grid", {
        type: "boolean",
        describe: "a row for each class, the same latent in each column (default: false)",
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
      .example("$0 sample --digits 2026", "digits by the generator in the package")
      .example("$0 sample generator.onnx --count 100 --columns 10", "100 images in rows of 10"),
  async handler(argv) {
    const {
      model: named,
      out,
      count,
      columns,
      scale,
      walk,
      styleGrid,
      seed,
      digits,
      classes,
      json,
      ...place
    } = parseArguments(schema, argv);
    if (digits !== undefined && classes !== undefined) {
      const [what, where] = ["cannot be combined with --digits", "--classes"];
      throw new GanOnnxError({ what, where, fix: "use one of them", kind: "usage" });
    }
    if (walk && styleGrid) {
      const [what, where] = ["cannot be combined with --walk", "--style-grid"];
      throw new GanOnnxError({ what, where, fix: "use one of them", kind: "usage" });
    }
    const { packagedGenerator, sampleSheet } = await import("../export/sample.node.js");
    const model = named ?? packagedGenerator;
    const { readBytes, writeAtomically } = await import("../files.node.js");
    const bytes = await readBytes(model);
    const options = {
      count: count ?? (walk || styleGrid ? undefined : 64),
      columns,
      scale: scale ?? ("auto" as const),
      layout: walk ? ("walk" as const) : styleGrid ? ("styles" as const) : ("samples" as const),
      seed,
      digits: digits === undefined ? undefined : Array.from(digits, Number),
      classes: classes?.split(",").map((name) => name.trim()),
      place,
      where: model,
    };
    await writeAtomically(out, await sampleSheet(bytes, options));
    print(json ? JSON.stringify({ file: out, model, count: options.count, seed }) : out);
  },
};
