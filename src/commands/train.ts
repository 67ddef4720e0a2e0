import { isDeepStrictEqual } from "node:util";
import type { Argv, CommandModule } from "yargs";
import { type Config, flagOf, resolveConfig } from "../config.js";
import { GanOnnxError, textIn } from "../error.js";
import { lineOf, recipes } from "../recipes/index.js";
import type { Change, Changes } from "../runs/changes.js";
import { readConfigFile } from "../runs/config-file.js";
import type { Run } from "../runs/run.js";
import { isParametersState } from "../training/names.js";
import type { Progress, ScoresLine, Training } from "../training/training.js";
import { discriminatorWatch } from "../training/won.js";
import { interruptible } from "./interrupt.js";
import { common, configOf, settingsIn, settingsOptions } from "./options.js";
import { bar, duration, endStatus, print, reportStatus, say, showStatus } from "./output.js";
import { commandsFor, named, repeating } from "./report.js";

/** Settings that may change when a run is resumed and do not affect its steps. */
const harmless = [
  "epochs",
  "stepsPerCall",
  "threads",
  "strict",
  "evaluateEvery",
  "evaluateSamples",
  "keepBest",
  "onNan",
  "animate",
  "tensorboard",
];
/**
 * Settings that affect the later steps. Their change is recorded. Changing any other setting would make it another run.
 */
const recorded = ["ep", "device", "learningRate", "schedule", "warmupSteps"];

/** After so many milliseconds without a line, say what is being done. */
const PATIENCE = 2000;

export const train: CommandModule = {
  command: "train",
  describe: "train a recipe, or resume a run",
  builder: (argv: Argv) =>
    settingsOptions(argv)
      .option("config", common.config)
      .option("out", {
        type: "string",
        requiresArg: true,
        describe: "folder of the run (default: runs/<recipe>-<time>)",
      })
      .option("resume", { type: "boolean", describe: "resume the run in --out (default: the latest run)" })
      .option("dry-run", {
        type: "boolean",
        describe: "check everything, then stop: train and write nothing",
      })
      .option("json", common.json)
      .example("$0 train --recipe dcgan --data mnist --epochs 10", "train the recipe dcgan on MNIST")
      .example("$0 train --resume --epochs 20", "resume the latest run, up to 20 epochs"),
  async handler(argv) {
    const out = typeof argv.out === "string" ? argv.out : undefined;
    await trainCommand(
      argv.resume ? await resumed(argv, out) : { config: await configOf(withRecipe(argv)), folder: out },
      { resume: Boolean(argv.resume), dryRun: Boolean(argv.dryRun), json: Boolean(argv.json) },
    );
  },
};

/** What is given with these is made for the recipe that is the default elsewhere. */
const ofVanilla = ["config", "network", "init", "runtime"];

/** Arguments that name no recipe get the one with the best scores, see bench/quality.md. */
function withRecipe(argv: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const named = ["recipe", ...ofVanilla].some((key) => argv[key] !== undefined);
  return named ? argv : { ...argv, recipe: "vae-gan" };
}

/** The configuration of the run to resume (by default the latest), with the allowed changes. */
export async function resumed(
  argv: Readonly<Record<string, unknown>>,
  out?: string,
): Promise<{ config: Config; folder: string; changes: Changes }> {
  const { latestRun, requireFolder, runFiles } = await import("../runs/run-folder.js");
  const folder = out ?? (await latestRun());
  requireFolder(folder);
  const path = runFiles(folder).config;
  const flags = settingsIn(argv);
  const settings = await readConfigFile(path);
  const changes: Record<string, Change> = {};
  for (const [key, value] of Object.entries(flags)) {
    if (harmless.includes(key) || isDeepStrictEqual(settings[key], value)) continue;
    const [from, to] = [settings[key], value].map((one) =>
      one === undefined ? "none" : JSON.stringify(one),
    );
    if (!recorded.includes(key)) {
      throw new GanOnnxError({
        what: `cannot change from ${from} to ${to} when a run is resumed; ${[...harmless, ...recorded].map(flagOf).join(", ")} can`,
        where: flagOf(key),
        fix: "leave it out, or start a new run",
        kind: "usage",
      });
    }
    changes[key] = { from: settings[key] ?? null, to: value };
    say(`${flagOf(key)} changes from ${from} to ${to}`);
  }
  if (typeof argv.config === "string") {
    throw new GanOnnxError({
      what: `a resumed run uses its own ${path}`,
      where: "--config",
      fix: "leave it out",
      kind: "usage",
    });
  }
  return { config: resolveConfig(flags, { path, settings }, "recorded"), folder, changes };
}

/** Train until done or interrupted. Returns the run's folder. */
export async function trainCommand(
  { config, folder, changes }: { config: Config; folder: string | undefined; changes?: Changes },
  { resume = false, dryRun = false, json = false },
): Promise<string> {
  const { prepareRun, prepareResume, workplaceOf, stepsInEpoch } = await import("../runs/run.js");
  const { settledSettings } = await import("../runs/settings.js");
  const { newRunFolder, runFiles } = await import("../runs/run-folder.js");
  const { runtimeOf } = await import("../runs/runtimes.js");
  const { train } = await import("../training/trainer.js");
  const { trainWithRollbacks } = await import("../runs/rollback.js");
  const { withReport } = await import("../runs/reporting.js");
  const { withProvenance } = await import("../runs/provenance.js");
  const { describeData, summaryOf } = await import("../data/summary.js");

  const where = folder ?? newRunFolder(config.run.recipe, new Date());
  const interrupt = interruptible();
  try {
    const prepare = resume ? prepareResume : prepareRun;
    const training = await prepare(config, {
      folder: where,
      report: reportStatus,
      warn: say,
      signal: interrupt.signal,
    });
    endStatus();
    describeData(training.dataset.name, summaryOf(training.dataset)).forEach(say);
    for (const remark of training.remarks ?? []) say(textIn(remark, flagOf));
    const { position } = training.start;
    const summary = { run: where, ...describe(training, stepsInEpoch(training)) };
    say(
      `${config.run.recipe} on ${training.dataset.name}: ${Object.entries(summary)
        .map(([key, value]) => `${key === "iterations" ? "steps per epoch" : key} ${value}`)
        .join(", ")}`,
    );
    const { patience } = recipes[config.run.recipe];
    if (patience !== undefined && !resume) say(patience);
    await warnOfCpuNodes(training);
    await warnOfClasses(training);
    if (dryRun) {
      say("everything is there; --dry-run trains and writes nothing");
      print(
        json
          ? JSON.stringify({ ...summary, configuration: settledSettings(config.flat, training.design) })
          : where,
      );
      return where;
    }
    if (position.epoch >= training.epochs) {
      say(`complete: epoch ${position.epoch} is done; train more with --epochs`);
    }
    const started = performance.now();
    const { position: end } = await trainWithRollbacks(
      { run: training, configuration: config, changes: changes ?? {} },
      async ({ run, configuration, changes, diverged }, hear) => {
        const { flat } = configuration;
        const kept = hear(workplaceOf(run, { flat, changes, diverged }, sayScores));
        const recorded = withProvenance(kept, run, { command: repeating(flat), warn: say });
        const { animate, tensorboard } = configuration.run;
        const watched = tensorboard
          ? (await import("../runs/tensorboard.js")).withTensorboard(recorded, run, {
              stepsInEpoch: stepsInEpoch(run),
              settings: flat,
            })
          : recorded;
        const reported = withReport(watched, where, { commands: commandsFor(where, flat), animate });
        return train(run, { ...reported, measuring: sayMeasuring }, progressLines(run), interrupt.signal);
      },
      say,
    );
    endStatus();
    const seconds = (performance.now() - started) / 1000;
    const files = runFiles(where);
    if (interrupt.signal.aborted) {
      process.exitCode = interrupt.code();
      // What npx runs is not in the PATH.
      const program = process.env.npm_command === "exec" ? "npx gan-onnx" : "gan-onnx";
      const further =
        runtimeOf(config.run).unresumable !== undefined
          ? `it cannot be resumed; export its weights with: ${program} export weights.safetensors --format safetensors --run ${named(where)}`
          : `resume with: ${program} train --resume --out ${named(where)}`;
      say(`stopped at epoch ${end.epoch}, step ${end.step}; ${further}`);
    } else {
      say(`epoch ${training.epochs} is done after ${duration(seconds)}; checkpoint in ${files.checkpoint}`);
    }
    print(json ? JSON.stringify({ run: where, ...end, seconds, checkpoint: files.checkpoint }) : where);
    return where;
  } catch (error) {
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    process.exitCode = interrupt.code();
    return where;
  } finally {
    endStatus();
    interrupt.end();
  }
}

/** Measuring takes long on a busy machine. Say what is being done when it does. */
function sayMeasuring(measured: Promise<unknown>): void {
  const message = "measuring how many steps fit into a call of ONNX Runtime; --steps-per-call skips this";
  const timer = setTimeout(() => say(message), PATIENCE);
  const end = () => clearTimeout(timer);
  measured.then(end, end);
}

/** Print the scores of an epoch, and warnings about them. */
function sayScores({ epoch, scores, warnings }: ScoresLine): void {
  const named = Object.entries(scores).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  say(`Epoch[${epoch}] scores: ${named.join(", ")}`);
  for (const warning of warnings) say(`warning: ${warning}`);
}

/** Report nodes that run on the CPU although another provider was requested: there is no silent slowdown. */
async function warnOfCpuNodes({ model, place }: Run): Promise<void> {
  if (place.ep === "cpu") return;
  const { cpuNodesWarning, placementOf } = await import("../runtime/placement.node.js");
  const warning = cpuNodesWarning(await placementOf(model, place, "train.onnx"), place);
  if (warning) say(`train.onnx: ${warning}`);
}

/**
 * Warn about classes without images: the generator draws noise for them. Tell of classes that a recipe can use and was
 * not told to.
 */
async function warnOfClasses({ design, dataset }: Training): Promise<void> {
  const { classes } = design.exported;
  if (!dataset.labels) return;
  const { classesIn } = await import("../training/batches.js");
  const { recipes } = await import("../recipes/index.js");
  const present = classesIn(dataset.labels, dataset.classNames);
  const { shape } = recipes[design.recipe as keyof typeof recipes].settings;
  if (classes === undefined && "classes" in shape && present > 1)
    say(
      `${dataset.name} has ${present} classes; --classes ${present} trains a model that draws them by choice`,
    );
  if (classes !== undefined && present < classes)
    say(`${dataset.name} has ${present} of ${classes} classes; use --classes ${present}`);
}

/** The description of a training for `--json`. Its key for steps is `iterations`, for compatibility. */
function describe({ graph, dataset, batchSize, epochs }: Training, iterations: number) {
  const parameters = graph.states
    .filter(({ name }) => isParametersState(name))
    .reduce((sum, { shape }) => sum + shape[0], 0);
  return { images: dataset.count, epochs, iterations, batch: batchSize, parameters };
}

/** The recipe's progress message every 100 steps, or every epoch if that is shorter. In between, a status line. */
function progressLines({ design, start }: Training) {
  const started = performance.now();
  let made = 0;
  const watch = discriminatorWatch();
  const fill = (metrics: Readonly<Record<string, number>>) => lineOf(design, metrics);
  return ({ lines, epoch, epochs, step, stepsInEpoch, metrics }: Progress) => {
    made += lines.length;
    const won = watch(lines, stepsInEpoch);
    if (won !== undefined) say(`warning: ${textIn(won, flagOf)}`);
    for (const line of lines) {
      if (line.step % Math.min(100, stepsInEpoch) === 0)
        say(`Epoch[${line.epoch}/${epochs}],${fill(line.metrics)}`);
    }
    const rate = made / ((performance.now() - started) / 1000);
    const done = (epoch - 1) * stepsInEpoch + step;
    const left = duration((epochs * stepsInEpoch - done) / rate);
    const share = bar(
      (done - start.position.epoch * stepsInEpoch) / ((epochs - start.position.epoch) * stepsInEpoch),
    );
    showStatus(
      `${share} epoch ${epoch}/${epochs}, ${rate.toFixed(0)} steps/s, ${left} left, ${fill(metrics)}`,
    );
  };
}
