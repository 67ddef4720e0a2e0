import { GanOnnxError } from "../error.js";
import { blocksOfEpoch, feedsOfBlock, orderOfEpoch, stepsPerEpoch } from "./batches.js";
import { type Checkpoint, writeCheckpoint } from "./checkpoint.js";
import type { Dataset } from "./data/index.js";
import { openEngine, type RuntimeName } from "./engine.js";
import { Painter } from "./painter.js";
import type { Design } from "./recipes/index.js";
import { appendMetrics, type MetricsLine, runFiles } from "./run-folder.js";
import type { SessionPlace, Tensors } from "./session.js";
import type { StepGraph } from "./step-graph.js";

/** One training, ready to go. */
export interface Training {
  readonly design: Design;
  readonly graph: StepGraph;
  readonly model: Uint8Array;
  readonly dataset: Dataset;
  readonly place: SessionPlace;
  /** What makes the steps, if not the model above. */
  readonly runtime?: RuntimeName;
  readonly folder: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly stepsPerRun: number;
  readonly start: Checkpoint;
}

/** Told after every run of the training graph. */
export interface Progress extends MetricsLine {
  readonly epochs: number;
  readonly iterations: number;
  /** All steps of this block, the last one being the line's own. */
  readonly lines: readonly MetricsLine[];
}

export interface TrainingHooks {
  /** The models are loaded; nothing is written yet. */
  ready?(): Promise<void>;
  progress?(progress: Progress): void;
  /** A file that people look at was written. */
  wrote?(path: string): void;
}

/**
 * Train until the epochs are complete or `signal` asks to stop; either way the checkpoint in the run's folder holds
 * every step made. The loop knows one rule: output `next/X` replaces state X, every other output is a metric.
 *
 * @returns where the run stands.
 * @throws GanOnnxError when a metric is no longer a number, or a file cannot be written.
 */
export async function train(
  training: Training,
  hooks: TrainingHooks,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const { design, graph, dataset, folder, epochs, batchSize, stepsPerRun, start } = training;
  const files = runFiles(folder);
  const { seed } = start.position;
  const inputs = graph.batches;
  const imageCount = dataset.count;
  const iterations = stepsPerEpoch(inputs, imageCount, batchSize);
  const engine = await openEngine(training, start.state);
  const painter = await Painter.open(design, dataset, training.place, seed).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  let { position } = start;

  const save = async (state: Tensors): Promise<Checkpoint> => {
    const checkpoint = { position, state };
    await writeCheckpoint(files.checkpoint, checkpoint);
    return checkpoint;
  };
  try {
    await hooks.ready?.();
    await painter.paintReal(files.realImages);
    let latest = start;
    for (let epoch = position.epoch + 1; epoch <= epochs; epoch++) {
      const order = orderOfEpoch(seed, epoch, imageCount);
      const blocks = blocksOfEpoch(inputs, { imageCount, batchSize, stepsPerRun }, position.step);
      const prepare = (i: number) =>
        i < blocks.length ? feedsOfBlock(inputs, dataset, { seed, epoch, order }, blocks[i], batchSize) : {};
      let feeds = prepare(0);
      for (const [i, { firstStep, steps }] of blocks.entries()) {
        const running = engine.run(feeds);
        feeds = prepare(i + 1); // A session's thread computes meanwhile.
        const lines = linesOf(await running, epoch, firstStep);
        checkNumbers(lines, files.checkpoint);
        await appendMetrics(files.metrics, lines);
        position = { ...position, step: firstStep + steps };
        hooks.progress?.({ ...lines[lines.length - 1], lines, epochs, iterations });
        if (signal.aborted && position.step < iterations) return await save(await engine.getState());
      }
      position = { ...position, epoch, step: 0 };
      const state = await engine.getState();
      // The sheet first: an epoch that the checkpoint counts is not made again.
      await painter.paint(state, files.fakeImages(epoch));
      latest = await save(state);
      hooks.wrote?.(files.fakeImages(epoch));
      if (signal.aborted) break;
    }
    return latest;
  } finally {
    await Promise.all([engine.close(), painter.close()]);
  }
}

/** The metrics of a run of the graph, step by step; a repeated phase's are averaged over its repetitions. */
function linesOf(outputs: Tensors, epoch: number, firstStep: number): MetricsLine[] {
  const entries = Object.entries(outputs);
  const steps = entries[0][1].shape[0];
  return Array.from({ length: steps }, (_, i) => {
    const metrics = entries.map(([name, { data }]) => {
      const repeats = data.length / steps;
      const values = Array.from(data.subarray(i * repeats, (i + 1) * repeats), Number);
      return [name, values.reduce((sum, value) => sum + value, 0) / repeats] as const;
    });
    return { epoch, iteration: firstStep + i + 1, metrics: Object.fromEntries(metrics) };
  });
}

function checkNumbers(lines: readonly MetricsLine[], checkpoint: string): void {
  for (const { epoch, iteration, metrics } of lines) {
    const broken = Object.keys(metrics).find((name) => !Number.isFinite(metrics[name]));
    if (broken === undefined) continue;
    throw new GanOnnxError({
      what: `${broken} is ${metrics[broken]}: the training has diverged`,
      where: `epoch ${epoch}, iteration ${iteration}`,
      fix: `lower --learning-rate; the last good state is in ${checkpoint}`,
    });
  }
}
