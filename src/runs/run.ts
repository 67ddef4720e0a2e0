import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import type { Dataset, Report } from "../data/load.node.js";
import { encodePng } from "../data/png.node.js";
import type { Picture } from "../data/sheet.js";
import { GanOnnxError, setting, type Text, text } from "../error.js";
import { requireReadable, requireWritable, writeAtomically } from "../files.node.js";
import { declarationsOf } from "../networks/index.js";
import { hasExternalData } from "../onnx/patch.js";
import { requireProvider } from "../runtime/examine.node.js";
import { opensOn, type SessionPlace } from "../runtime/session.node.js";
import { augmentationsIn } from "../training/augment.js";
import { checkLabels, stepsPerEpoch } from "../training/batches.js";
import { type Checkpoint, checkState, startPosition } from "../training/checkpoint.js";
import { Feeders } from "../training/feeder.node.js";
import type { Divergence, ScoresLine, Training, Workplace } from "../training/training.js";
import { buildTraining } from "../training/training-model.js";
import { bestKeeper } from "./best.js";
import { type Changes, recordChanges, rescheduled } from "./changes.js";
import {
  type FoundCheckpoint,
  type Keeping,
  keepCheckpoint,
  newestCheckpoint,
  restoreCheckpoint,
} from "./checkpoints.js";
import { type Claim, claimFolder } from "./claim.js";
import { type Designed, designFrom } from "./design.js";
import { openExaminer, requireScores } from "./examiner.js";
import { requireMemory } from "./memory.js";
import { dataOfRun, withClassesOf } from "./run-data.js";
import { appendMetrics, networkIn, runFiles, truncateMetrics } from "./run-folder.js";
import {
  type RuntimeName,
  requireResumable,
  requireRuntimeProvider,
  requireTrainable,
  runtimeOf,
} from "./runtimes.js";
import { type Configuration, settledSettings } from "./settings.js";
import { startingState } from "./starting-state.js";

/** A training, with its provider and its folder. */
export interface Run extends Training {
  readonly model: Uint8Array;
  readonly place: SessionPlace;
  /** What runs the steps, if not the model above. */
  readonly runtime?: RuntimeName;
  readonly folder: string;
  /** Notes for the user before it begins, one line each. */
  readonly remarks?: readonly Text[];
  /** The checkpoint file that it starts from, if it is resumed. */
  readonly resumed?: string;
  /** The run was started in its folder before, and restarts from the beginning. */
  readonly again?: boolean;
  /** Which checkpoints it keeps. */
  readonly keeping?: Keeping;
  /** The networks that come from files. */
  readonly networkFiles: Designed["files"];
  /** Score a generator every this many epochs, with this number of samples. The default is never. */
  readonly evaluateEvery?: number;
  readonly evaluateSamples?: number;
}

export interface Preparation {
  readonly folder: string;
  readonly report: Report;
  /** Receives warnings for the user. */
  readonly warn?: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Where the models of a configuration run. */
export function placeOf({ ep, device, threads }: Configuration["run"]): SessionPlace {
  // The shape arithmetic of a step, and on WebGPU also the Loop node, have kernels only for the CPU.
  return { ep, device, threads, cpuNodes: true };
}

/**
 * Load the data and build the graph of a new run. Nothing is written.
 *
 * @param configuration the result of `resolveConfig`.
 * @throws {@link GanOnnxError} when something is missing or does not match, or the folder already has a run.
 */
export async function prepareRun(configuration: Configuration, preparation: Preparation): Promise<Run> {
  const { folder, report, signal } = preparation;
  const { seed, ep, device } = configuration.run;
  await requireProvider(ep, device);
  requireRuntimeProvider(configuration.run);
  requireNone(folder);
  await requireWritable(folder);
  const { init, network = {} } = configuration.run;
  await requireReadable([...Object.values(network), ...(init === undefined ? [] : [init])]);
  const dataset = await dataOfRun(configuration.run, {
    report,
    signal,
    heldOut: configuration.run.recipe === "classifier",
  });
  const designed = await designFrom(withClassesOf(dataset, configuration), dataset);
  const { design } = designed;
  const position = startPosition(design, dataset.count, seed);
  await requireTrainable(configuration.run, design);
  requireMemory(design);
  const { state, remark } = await startingState(configuration.run, design);
  const run = assemble(configuration, folder, dataset, designed, { position, state });
  return remark ? { ...run, remarks: [...(run.remarks ?? []), remark] } : run;
}

/** Check that a folder contains no run. */
function requireNone(folder: string): void {
  if (!existsSync(runFiles(folder).config)) return;
  throw new GanOnnxError({
    what: "already contains a run",
    where: folder,
    fix: text`use ${setting("resume")}, or name another folder with ${setting("out")}`,
    kind: "usage",
  });
}

/**
 * Load what is needed to resume a run from its checkpoint.
 *
 * @throws {@link GanOnnxError} when the checkpoint is corrupt or has another recipe or shape, or the data have changed.
 */
export async function prepareResume(
  configuration: Configuration,
  { folder, report, warn, signal }: Preparation,
): Promise<Run> {
  requireResumable(configuration.run, folder);
  await requireProvider(configuration.run.ep, configuration.run.device);
  const { checkpoint, path }: FoundCheckpoint = await newestCheckpoint(folder, warn);
  const { position } = checkpoint;
  const { run } = configuration;
  const designed = await designFrom(configuration, position, networkIn(folder));
  const { design } = designed;
  const start = rescheduled(checkpoint, design, run.batchSize);
  checkState(start, design, path);
  const dataset = await dataOfRun(run, { report, signal, heldOut: run.recipe === "classifier" });
  const { images, channels, height, width } = position;
  const same =
    dataset.count === images &&
    dataset.channels === channels &&
    dataset.height === height &&
    dataset.width === width;
  if (!same) {
    throw new GanOnnxError({
      what: `now holds ${describe(dataset.count, dataset)} where the run had ${describe(images, position)}`,
      where: setting("data", run.data),
      fix: "resume with the data that the run was started with",
    });
  }
  return { ...assemble(configuration, folder, dataset, designed, start), resumed: path };
}

/** Check that the run has not advanced since it was loaded. */
async function requireSame({ folder, start }: Run): Promise<void> {
  const { position } = (await newestCheckpoint(folder)).checkpoint;
  if (position.epoch === start.position.epoch && position.step === start.position.step) return;
  throw new GanOnnxError({
    what: `another process has trained it to epoch ${position.epoch}, step ${position.step} meanwhile`,
    where: folder,
    fix: "resume it again",
  });
}

function describe(
  count: number,
  { channels, height, width }: Pick<Dataset, "channels" | "height" | "width">,
) {
  return `${count} images of ${channels}x${height}x${width}`;
}

/**
 * A run of a checked configuration with its data, from a start.
 *
 * @throws {@link GanOnnxError} when they do not match.
 */
export function assemble(
  { run }: Configuration,
  folder: string,
  dataset: Dataset,
  { design, files, notes }: Designed,
  start: Checkpoint,
): Run {
  checkLabels(dataset, design.exported.classes);
  requireScores(run, design);
  const normalized = Object.values(design.networks).some((network) =>
    declarationsOf(network).buffers.some(({ name }) => name.endsWith("running_var")),
  );
  if (run.batchSize === 1 && normalized) {
    throw new GanOnnxError({
      what: "batch normalization needs more than one image per batch",
      where: setting("batchSize", 1),
      fix: "choose 2 or more",
      kind: "usage",
    });
  }
  const { graph, train: model } = buildTraining(design);
  const { epochs, batchSize, stepsPerCall, runtime } = run;
  if (stepsPerEpoch(graph.batches, dataset.count, batchSize) === 0) {
    throw new GanOnnxError({
      what: `holds ${dataset.count} images, too few for a single step`,
      where: setting("data", run.data),
      fix: text`add images, or lower ${setting("critics")} if the recipe has them`,
      kind: "usage",
    });
  }
  return {
    design,
    graph,
    model,
    dataset: { ...dataset, heldOut: undefined },
    heldOut: dataset.heldOut,
    remarks: [...(dataset.remarks ?? []), ...notes],
    place: placeOf(run),
    runtime,
    folder,
    networkFiles: files,
    epochs,
    batchSize,
    stepsPerCall,
    keeping: { keep: run.keep, keepEvery: run.keepEvery, keepBest: run.keepBest },
    start,
    evaluateEvery: run.evaluateEvery,
    evaluateSamples: run.evaluateSamples,
    augmentations: run.augment === undefined ? undefined : augmentationsIn(run.augment),
  };
}

/** A workplace with threads of this process and the folder of the run. `told` receives all scores. */
export function workplaceOf(
  run: Run,
  {
    flat,
    changes = {},
    diverged,
  }: Pick<Configuration, "flat"> & { readonly changes?: Changes; readonly diverged?: Divergence },
  told: (line: ScoresLine) => void = () => {},
): Workplace {
  const files = runFiles(run.folder);
  const paint = async (path: string, sheet: Picture) => writeAtomically(path, await encodePng(sheet));
  const best = run.keeping?.keepBest ? bestKeeper(run.folder) : undefined;
  let claim: Claim | undefined;
  /** Check the claim before each write: a process that was suspended for a long time may have lost the folder. */
  const owned = async (write: () => Promise<void>) => {
    await claim?.check();
    await write();
  };
  return {
    openEngine: (state) => runtimeOf(run).open(run, state),
    openModel: opensOn(run.place),
    openFeeder: (training) => new Feeders(training),
    openExaminer: () => openExaminer(run),
    keeper: {
      async begin() {
        claim = await claimFolder(run.folder);
        // Another process may have created or resumed a run here while this one loaded its data.
        if (run.start.position.epoch + run.start.position.step === 0) {
          if (!run.again) requireNone(run.folder);
        } else await requireSame(run);
        for (const [name, { path, bytes }] of run.networkFiles) {
          const copy = files.network(name);
          if (path !== copy && !hasExternalData(bytes)) await writeAtomically(copy, bytes);
        }
        const { classNames } = run.dataset;
        const settled = settledSettings(flat, run.design);
        const kept = classNames ? { ...settled, classNames } : settled;
        // All epochs are complete: keep the previous configuration.
        if (run.resumed && run.start.position.epoch >= run.epochs) return;
        await writeAtomically(files.config, `${JSON.stringify(kept, null, 2)}\n`);
        if (run.resumed) await restoreCheckpoint(run.folder, run.resumed);
        await recordChanges(files.changes, run.start.position, changes, diverged);
        await truncateMetrics(files.metrics, run.start.position);
        await truncateMetrics(files.scores, run.start.position);
        await best?.begin(run.start.position);
      },
      end: async () => claim?.giveBack(),
      metrics: (lines) => owned(() => appendMetrics(files.metrics, lines)),
      realImages: (sheet) => paint(files.realImages, sheet),
      sheet: (sheet, epoch) => owned(() => paint(files.fakeImages(epoch), sheet)),
      async scores(line) {
        told(line);
        await owned(() => appendFile(files.scores, `${JSON.stringify(line)}\n`));
        best?.scored(line);
      },
      checkpoint: (checkpoint) =>
        owned(async () => {
          await keepCheckpoint(run.folder, checkpoint, run.keeping);
          await best?.kept(checkpoint.position);
        }),
      interval: 60_000,
      lastCheckpoint: files.checkpoint,
    },
  };
}

/** The number of steps in an epoch of a training. */
export function stepsInEpoch({ graph, dataset, batchSize }: Training): number {
  return stepsPerEpoch(graph.batches, dataset.count, batchSize);
}
