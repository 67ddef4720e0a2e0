import type { Argv, CommandModule } from "yargs";
import { z } from "zod";
import { type Config, imageOf, parseArguments, type RawSettings, resolveConfig } from "../config.js";
import { GanOnnxError } from "../error.js";
import { jsonIn } from "../json.js";
import { readConfigFile } from "../runs/config-file.js";
import { common, recipeSettings, settingsIn, settingsOptions } from "./options.js";
import { print, say } from "./output.js";

/** The settings that are allowed in a record's metadata: those of networks and steps, without names of files. */
const replayed = () => ["recipe", "size", "channels", ...recipeSettings()];

const schema = z.object({
  file: z.string().min(1).optional(),
  record: z.string().min(1).optional(),
  steps: z.int().min(1).max(100_000).default(5),
});

export const verify: CommandModule = {
  command: "verify [file]",
  describe: "replay a recorded trajectory and report the largest differences, or record one",
  builder: (argv: Argv) =>
    settingsOptions(argv, [
      "recipe",
      "size",
      "channels",
      "network",
      "fresh",
      "freeze",
      "batchSize",
      "seed",
      "ep",
      "device",
      ...recipeSettings(),
    ])
      .positional("file", {
        type: "string",
        describe: "the record, a safetensors file (default: the record in this package)",
      })
      .option("record", {
        type: "string",
        requiresArg: true,
        describe: "record a trajectory on images of noise, in this file (default: replay one)",
      })
      .option("steps", {
        type: "number",
        requiresArg: true,
        describe: "training steps of a new record (default: 5)",
      })
      .option("config", common.config)
      .option("json", common.json)
      .example("$0 verify --ep cuda", "replay the record in this package on a GPU")
      .example(
        "$0 verify --record new.safetensors --recipe dcgan --batch-size 16",
        "record 5 steps of dcgan",
      ),
  async handler(argv) {
    const { file, record, steps } = parseArguments(schema, {
      file: argv.file,
      record: argv.record,
      steps: argv.steps,
    });
    if (record === undefined) return replay(file, argv);
    if (file !== undefined) {
      const [what, fix] = ["cannot be combined with a record to replay", "leave one of them out"];
      throw new GanOnnxError({ what, where: "--record", fix, kind: "usage" });
    }
    await recordTo(record, steps, argv);
  },
};

async function recordTo(file: string, steps: number, argv: RawSettings): Promise<void> {
  const { recordTrajectory } = await import("../evaluation/record.node.js");
  const { writeAtomically } = await import("../files.node.js");
  const config = await configFor(argv, {});
  const { run, recipe, flat } = config;
  const { design, graph, train, place } = await trainingOf(config);
  const known = Object.fromEntries(Object.entries(flat).filter(([key]) => replayed().includes(key)));
  const bytes = await recordTrajectory(
    { design, graph, model: train, place },
    { steps, batchSize: run.batchSize, seed: run.seed, settings: { ...known, ...recipe } },
  );
  await writeAtomically(file, bytes);
  say(
    `${file}: ${steps} steps of ${run.recipe} on ${run.ep}, ${bytes.length} bytes; it tells whether another machine, ` +
      "provider or version computes the same, not whether this one is right",
  );
  print(
    argv.json ? JSON.stringify({ file, recipe: run.recipe, ep: run.ep, steps, bytes: bytes.length }) : file,
  );
}

async function replay(named: string | undefined, argv: RawSettings): Promise<void> {
  const { decodeSafetensors } = await import("../tensors/safetensors.js");
  const { followTrajectory, packagedRecord, tolerances } = await import("../evaluation/trajectory.node.js");
  const { readBytes } = await import("../files.node.js");

  const [path, file] =
    named === undefined ? [packagedRecord, "models/trajectory.safetensors"] : [named, named];
  const record = decodeSafetensors(await readBytes(path), file);
  const config = await configFor(argv, { path: file, metadata: record.metadata });
  const { run } = config;
  const { design, graph, train, place } = await trainingOf(config);
  const compared = await followTrajectory(record, { design, graph, model: train, place, where: file });
  const { producer } = record.metadata;

  if (argv.json) {
    print(JSON.stringify({ file, recipe: run.recipe, ep: run.ep, producer, ...compared, tolerances }));
  } else {
    const row = (name: string, difference: number, limit: number) =>
      print(
        `${name.padEnd(24)} ${difference.toExponential(1).padStart(8)}  of ${limit.toExponential(0)}  ` +
          `${difference <= limit ? "ok" : "TOO FAR"}`,
      );
    for (const [name, difference] of Object.entries(compared.metrics)) {
      row(name, difference, tolerances.metrics);
    }
    row("99.9% of the parameters", compared.parameters.most, tolerances.mostParameters);
    row("all parameters", compared.parameters.all, tolerances.allParameters);
  }
  const by = producer === undefined ? "" : ` by ${producer}`;
  say(
    `${file}: ${compared.steps} steps of ${run.recipe} on ${run.ep}, ${compared.within ? "as" : "NOT as"} recorded${by}`,
  );
  if (!compared.within) process.exitCode = 1;
}

/** The configuration: flags override `--config`, or otherwise the settings in the record. */
async function configFor(
  argv: RawSettings,
  { path, metadata }: { path?: string; metadata?: Readonly<Record<string, string>> },
): Promise<Config> {
  const flags = settingsIn(argv);
  if (typeof argv.config === "string") {
    const file = { path: argv.config, settings: await readConfigFile(argv.config) };
    return resolveConfig(flags, file, "recorded");
  }
  const recorded = z.record(z.string(), z.unknown()).safeParse(jsonIn(metadata?.settings)).data;
  if (path === undefined || !recorded || (flags.recipe ?? recorded.recipe) !== recorded.recipe) {
    return resolveConfig(flags, undefined, "recorded");
  }
  const settings = Object.fromEntries(Object.entries(recorded).filter(([key]) => replayed().includes(key)));
  return resolveConfig(flags, { path, settings }, "recorded");
}

async function trainingOf(config: Config) {
  const { designFrom } = await import("../runs/design.js");
  const { buildArtifacts } = await import("../training/artifacts.node.js");
  const { placeOf } = await import("../runs/run.js");
  const { design, notes } = await designFrom(config, imageOf(config.run));
  for (const note of notes) say(note);
  return { design, ...buildArtifacts(design, config.flat), place: placeOf(config.run) };
}
