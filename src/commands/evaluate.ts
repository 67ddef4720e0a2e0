import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { parseArguments, runSchema } from "../config.js";
import type { Evaluated, Evaluation } from "../evaluation/evaluate.node.js";
import { common, settingsOptions } from "./options.js";
import { endStatus, print, reportStatus, say } from "./output.js";

const { data, size, channels, seed, ep, device, threads } = runSchema.shape;
const schema = z.object({
  models: z.array(z.string()).min(1),
  data,
  size,
  channels,
  seed,
  ep,
  device,
  threads,
  samples: z.int().min(10).max(1_000_000).default(10_000),
  judge: z.string().min(1).optional(),
  sheet: z.string().min(1).optional(),
  json: z.boolean().default(false),
});

export const evaluate: CommandModule = {
  command: "evaluate <models..>",
  describe: "score generators against real images by the features of a classifier",
  builder: (argv: Argv) =>
    settingsOptions(argv, ["data", "size", "channels", "seed", "ep", "device", "threads"])
      .positional("models", {
        type: "string",
        array: true,
        demandOption: true,
        describe: "models written by export",
      })
      .option("samples", {
        type: "number",
        requiresArg: true,
        describe: "number of real and of generated images (default: 10000, or half of the data)",
      })
      .option("judge", {
        type: "string",
        requiresArg: true,
        describe: "a classifier written by export (default: the shipped one for MNIST)",
      })
      .option("sheet", {
        type: "string",
        requiresArg: true,
        describe:
          "PNG to write, with the nearest training image below each sample, for one model (default: none)",
      })
      .option("json", common.json)
      .example("$0 evaluate generator.onnx --data mnist", "scores of one generator")
      .example("$0 evaluate a.onnx b.onnx --count 2000", "two generators side by side"),
  async handler(argv) {
    const { json, sheet, ep, device, threads, ...options } = parseArguments(schema, argv);
    const { evaluate } = await import("../evaluation/evaluate.node.js");
    const { loadDataset } = await import("../data/load.node.js");
    const { requireReadable } = await import("../files.node.js");
    const { GanOnnxError } = await import("../error.js");
    if (sheet !== undefined && options.models.length > 1) {
      throw new GanOnnxError({
        what: "shows the samples of one model",
        where: "--sheet",
        fix: "name one model, or leave it out",
        kind: "usage",
      });
    }
    const { models, judge } = options;
    await requireReadable(judge === undefined ? models : [...models, judge]);
    const images = await loadDataset(options.data, { ...options, report: reportStatus });
    const started = performance.now();
    const result = await evaluate({
      ...options,
      data: images,
      place: { ep, device, threads },
      report: reportStatus,
    });
    endStatus();
    if (sheet !== undefined) {
      const { encodePng } = await import("../data/png.node.js");
      const { writeAtomically } = await import("../files.node.js");
      await writeAtomically(sheet, await encodePng(result.models[0].copies.sheet));
      say(`${sheet}: samples, and below each row the training images nearest to them`);
    }
    const seconds = (performance.now() - started) / 1000;
    for (const line of notesOf(result)) say(line);
    for (const { name, warnings } of result.models) {
      for (const warning of warnings) say(`warning: ${name}: ${warning}`);
    }
    say(`${seconds.toFixed(1)} s`);
    print(json ? JSON.stringify(asJson(result)) : tableOf(result));
  },
};

function notesOf({ judge, data, samples, seed }: Evaluation): string[] {
  const { name, hash } = judge;
  return [
    `judge: ${name} (sha256 ${hash}), a classifier of ${judge.data}; scores by other judges cannot be compared`,
    `${samples} samples, against as many images of ${data}; seed ${seed}`,
    ...(judge.data === data || /mnist|drawn/.test(data)
      ? []
      : [
          `note: the features are those of a classifier of ${judge.data}, not of ${data}; for your own classes train ` +
            "one (--recipe classifier), export it and name it by --judge",
        ]),
  ];
}

/** The evaluation without pictures. */
function asJson({ floor, models, ...rest }: Evaluation) {
  const row = ({ name, scores, copies, warnings }: Evaluated) => ({
    name,
    ...scores,
    nearestTrainingImage: copies.distance,
    warnings,
  });
  return { ...rest, floor: row(floor), models: models.map(row) };
}

function tableOf({ floor, models }: Evaluation): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  const number = (value: number) => value.toPrecision(3);
  const columns: [string, (row: Evaluated) => string][] = [
    ["", ({ name }) => name],
    ["distance", ({ scores }) => scores.distance.toFixed(2)],
    ["/floor", ({ scores }) => `${number(scores.distance / floor.scores.distance)}x`],
    ["classifier score", ({ scores }) => scores.classifierScore.toFixed(2)],
    ["precision", ({ scores }) => percent(scores.precision)],
    ["recall", ({ scores }) => percent(scores.recall)],
    ["density", ({ scores }) => scores.density.toFixed(2)],
    ["coverage", ({ scores }) => percent(scores.coverage)],
    ["class as asked", ({ scores }) => (scores.agreement === undefined ? "-" : percent(scores.agreement))],
    ["diversity", ({ scores }) => scores.diversity.toFixed(2)],
    ["nearest training image", ({ copies }) => copies.distance.toFixed(2)],
    ["classes", ({ scores }) => scores.classes.map((share) => percent(share).replace(/\.\d%/, "")).join(" ")],
  ];
  const rows = [
    columns.map(([title]) => title),
    ...[floor, ...models].map((row) => columns.map(([, cell]) => cell(row))),
  ];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
