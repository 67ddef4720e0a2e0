import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { flagOf, parseArguments, runSchema } from "../config.js";
import { textIn } from "../error.js";
import { common, settingsOptions } from "./options.js";
import { endStatus, print, reportStatus, say } from "./output.js";

const schema = z.object({
  source: z.string(),
  out: z.string().default("data.png"),
  ...runSchema.pick({ size: true, channels: true, background: true, strict: true, seed: true }).shape,
  json: z.boolean().default(false),
});

export const data: CommandModule = {
  command: "data <source>",
  describe: "show how data will be read, without training",
  builder: (argv: Argv) =>
    settingsOptions(argv, ["size", "channels", "background", "strict", "seed"])
      .positional("source", { type: "string", demandOption: true, describe: "what train takes as --data" })
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "the PNG to write with some of the images (default: data.png)",
      })
      .option("json", common.json)
      .example("$0 data photos --size 64 --channels 3", "a folder of images, as train would read it")
      .example("$0 data mnist --out mnist.png", "a sheet of some of its images"),
  async handler(argv) {
    const { source, out, json, ...options } = parseArguments(schema, argv);
    const { loadDataset } = await import("../data/load.node.js");
    const { describeData, rangeWarning, summaryOf } = await import("../data/summary.js");
    const { paintContactSheet } = await import("../data/contact-sheet.js");
    const { encodePng } = await import("../data/png.node.js");
    const { writeAtomically } = await import("../files.node.js");
    const dataset = await loadDataset(source, { ...options, report: reportStatus }).finally(endStatus);
    const summary = summaryOf(dataset);
    const remarks = dataset.remarks?.map((remark) => textIn(remark, flagOf)) ?? [];
    await writeAtomically(out, await encodePng(paintContactSheet(dataset)));
    if (!json) for (const line of [...describeData(source, summary), ...remarks]) print(line);
    const warning = rangeWarning(source, summary);
    if (warning) say(warning);
    const { count, form, classes, low, high, mean } = summary;
    const [channels, height, width] = form;
    const about = { source, count, channels, height, width, classes, low, high, mean, remarks, warning };
    print(json ? JSON.stringify({ ...about, file: out }) : `some of the images: ${out}`);
  },
};
