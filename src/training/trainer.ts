import { GanOnnxError, setting, text } from "../error.js";
import type { Engine } from "../runtime/engine.js";
import { floatsIn, type Tensors } from "../tensors/tensor.js";
import { blocksOfEpoch, feedsOfBlock, orderOfEpoch, stepsPerEpoch } from "./batches.js";
import type { Checkpoint } from "./checkpoint.js";
import { openPainter } from "./open-painter.js";
import { withSteps } from "./state.js";
import {
  type CallLength,
  chooseStepsPerCall,
  growingLength,
  isRestorable,
  measureCalls,
  mostStepsPerCall,
  steadyLength,
  surelyFitting,
} from "./steps-per-call.js";
import { supplyOf } from "./supply.js";
import type {
  Divergence,
  Examiner,
  MetricsLine,
  PlannedCall,
  Progress,
  SheetPainter,
  Training,
  Workplace,
} from "./training.js";
import { ABSENT } from "./windows.js";

/**
 * Train until the epochs are complete or `signal` requests a stop. In both cases the last checkpoint contains every
 * step. The loop follows one rule: output `next/X` replaces state X; every other output is a metric.
 *
 * @returns the last checkpoint.
 * @throws {@link GanOnnxError} when a metric is NaN or infinite, or something cannot be saved.
 */
export async function train(
  training: Training,
  workplace: Workplace,
  progress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const { design, graph, dataset, epochs, batchSize, start } = training;
  const { keeper, openModel } = workplace;
  const steps = epochs * stepsPerEpoch(graph.batches, dataset.count, batchSize);
  const engine = await workplace.openEngine(withSteps(design, start.state, steps));
  const open = workplace.openPainter ?? (() => openPainter(training, openModel));
  const painter = await open(training).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  let examiner: Examiner | undefined;
  try {
    examiner = await workplace.openExaminer?.();
    await keeper.begin();
    await keeper.realImages(painter.paintReal());
    return await makeSteps(training, { engine, painter, examiner, workplace }, progress, signal);
  } finally {
    await Promise.all([engine.close(), painter.close(), examiner?.close()]).finally(() => keeper.end?.());
  }
}

/** A running call of the training graph, and the state after it if a checkpoint is due. */
interface PendingCall {
  readonly planned: PlannedCall;
  readonly outputs: Promise<Tensors>;
  readonly state: Promise<Tensors> | undefined;
}

async function makeSteps(
  training: Training,
  {
    engine,
    painter,
    examiner,
    workplace,
  }: {
    engine: Engine;
    painter: SheetPainter;
    examiner: Examiner | undefined;
    workplace: Workplace;
  },
  progress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const { graph, dataset, epochs, batchSize, start } = training;
  const stepsInEpoch = stepsPerEpoch(graph.batches, dataset.count, batchSize);
  const { keeper, openFeeder } = workplace;
  const length = await callLengthOf(training, engine, workplace, signal);
  const plan = plannedCalls(training, length.steps);
  const supply = supplyOf(training, plan, openFeeder && (() => openFeeder(training)));
  let latest = start;
  let lastDue = performance.now();
  let kept = Promise.resolve();

  const begin = async (): Promise<PendingCall | undefined> => {
    const supplied = await supply.next();
    if (!supplied) return undefined;
    const { planned, feeds } = supplied;
    const outputs = engine.consume(feeds);
    const due = planned.endsEpoch || performance.now() - lastDue >= keeper.interval;
    if (due) lastDue = performance.now();
    const state = due ? engine.getState() : undefined;
    // The code that awaits them gets the error.
    for (const promise of [outputs, state]) promise?.catch(() => {});
    return { planned, outputs, state };
  };
  /** Save the sheet before the checkpoint: an epoch in the checkpoint is not repeated. */
  const keep = async (checkpoint: Checkpoint, endsEpoch: boolean) => {
    if (endsEpoch) await keeper.sheet(await painter.paint(checkpoint.state), checkpoint.position.epoch);
    if (endsEpoch && examiner) {
      const line = await examiner.examine(checkpoint.state, checkpoint.position.epoch);
      if (line) await keeper.scores?.(line);
    }
    if (!endsEpoch && keeper.preview) keeper.preview(await painter.paint(checkpoint.state));
    await keeper.checkpoint(checkpoint);
  };

  /** Save everything that is valid, then return the error of a training that has diverged. */
  const stopped = async (where: Divergence) => {
    await kept;
    await keeper.diverged?.(where);
    const { epoch, step } = latest.position;
    return diverged(where, epoch + step > 0 ? keeper.lastCheckpoint : undefined);
  };

  try {
    let current = await begin();
    let ended = performance.now();
    while (current) {
      // Prepare and queue the next call while this one computes. Save the results of a call meanwhile.
      const next = signal.aborted ? undefined : await begin();
      const { epoch, block, endsEpoch } = current.planned;
      const lines = linesOf(await current.outputs, epoch, block.firstStep);
      length.took(block.steps, performance.now() - ended);
      ended = performance.now();
      const broken = brokenMetric(lines, graph);
      if (broken) throw await stopped(broken);
      await keeper.metrics(lines);
      progress({ ...lines[lines.length - 1], lines, epochs, stepsInEpoch });
      if (!next) keeper.lastStep?.();
      const state = current.state ?? (next ? undefined : engine.getState());
      if (state) {
        const at = endsEpoch ? { epoch, step: 0 } : { epoch: epoch - 1, step: block.firstStep + block.steps };
        const reached = await state;
        const spoilt = brokenState(reached, lines[lines.length - 1]);
        if (spoilt) throw await stopped(spoilt);
        latest = { position: { ...start.position, ...at }, state: reached };
        await kept;
        kept = keep(latest, endsEpoch);
        kept.catch(() => {});
      }
      current = next;
    }
    await kept;
    return latest;
  } finally {
    await Promise.all([supply.close(), kept.catch(() => {})]);
  }
}

/** Steps per call for an engine that cannot be measured: ORT's training runtime runs every step separately. */
const UNMEASURED = 16;

/** Choose the steps per call: as configured, as limited by the workplace, or as measured. */
async function callLengthOf(
  training: Training,
  engine: Engine,
  { longestCall, measuring }: Workplace,
  signal: AbortSignal,
): Promise<CallLength> {
  const { graph, dataset, batchSize, stepsPerCall } = training;
  if (stepsPerCall !== undefined) return { steps: () => stepsPerCall, took: () => {} };
  if (longestCall === undefined) {
    const measured = measuredLength(training, engine, signal);
    measuring?.(measured);
    return measured;
  }
  const sizes = { imageCount: dataset.count, batchSize, stepsPerCall: dataset.count };
  const [first] = blocksOfEpoch(graph.batches, sizes);
  const most = mostStepsPerCall(graph.batches, { batchSize, stepsInEpoch: first.steps });
  return growingLength(most, longestCall);
}

/** Measure the number of steps per call with the first batches. Afterwards the engine's state is restored. */
async function measuredLength(training: Training, engine: Engine, signal: AbortSignal): Promise<CallLength> {
  const { graph, dataset, batchSize, start, augmentations } = training;
  const { seed } = start.position;
  const imageCount = dataset.count;
  const [first] = blocksOfEpoch(graph.batches, { imageCount, batchSize, stepsPerCall: imageCount });
  const most = mostStepsPerCall(graph.batches, { batchSize, stepsInEpoch: first.steps });
  if (!isRestorable(engine)) return steadyLength(Math.min(most, UNMEASURED));
  if (most === 1) return steadyLength(most);
  const keys = { seed, epoch: 1, order: orderOfEpoch(seed, 1, imageCount), augmentations };
  const feedsOf = (steps: number) =>
    feedsOfBlock(graph.batches, dataset, keys, { ...first, steps }, batchSize);
  const times = await measureCalls(engine, feedsOf, most, { signal });
  // Interrupted: one step more, so that there is a checkpoint to resume from.
  if (!times) return steadyLength(1);
  return steadyLength(chooseStepsPerCall(times, most), undefined, surelyFitting(times));
}

/** The remaining calls of the training graph. */
function* plannedCalls(training: Training, stepsPerCall: () => number): Generator<PlannedCall, undefined> {
  const { graph, dataset, epochs, batchSize, start } = training;
  const { seed, epoch: complete, step } = start.position;
  const imageCount = dataset.count;
  for (let epoch = complete + 1; epoch <= epochs; epoch++) {
    const order = orderOfEpoch(seed, epoch, imageCount);
    let fromStep = epoch === complete + 1 ? step : 0;
    for (;;) {
      const sizes = { imageCount, batchSize, stepsPerCall: stepsPerCall() };
      const [block, ...further] = blocksOfEpoch(graph.batches, sizes, fromStep);
      if (!block) break;
      yield { epoch, order, block, endsEpoch: further.length === 0 };
      fromStep = block.firstStep + block.steps;
    }
  }
}

/**
 * The metrics of a call, by step. Metrics of a repeated phase are averaged over its repetitions. Metrics of a phase
 * that is not computed in a step are omitted.
 */
function linesOf(outputs: Tensors, epoch: number, firstStep: number): MetricsLine[] {
  const entries = [...outputs];
  const steps = entries[0][1].shape[0];
  return Array.from({ length: steps }, (_, i) => {
    const metrics = entries.flatMap(([name, { data }]) => {
      const repeats = data.length / steps;
      const values = Array.from(data.subarray(i * repeats, (i + 1) * repeats), Number);
      if (values[0] === ABSENT) return [];
      return [[name, values.reduce((sum, value) => sum + value, 0) / repeats] as const];
    });
    return { epoch, step: firstStep + i + 1, metrics: Object.fromEntries(metrics) };
  });
}

/** The first metric that is NaN or infinite, with the network that its phase updates. */
function brokenMetric(lines: readonly MetricsLine[], graph: Training["graph"]): Divergence | undefined {
  for (const { epoch, step, metrics } of lines) {
    const name = Object.keys(metrics).find((metric) => !Number.isFinite(metrics[metric]));
    if (name === undefined) continue;
    const phase = graph.metrics.find((metric) => metric.name === name)?.phase ?? "";
    return { epoch, step, phase, what: `${name} is ${metrics[name]}` };
  }
  return undefined;
}

/** Metrics are computed before the update of their step: only the state shows whether the update was valid. */
function brokenState(state: Tensors, { epoch, step }: MetricsLine): Divergence | undefined {
  for (const name of state.keys()) {
    const values = floatsIn(state, name);
    if (allFinite(values)) continue;
    const broken = values.find((value) => !Number.isFinite(value));
    return { epoch, step, phase: name.split("/", 1)[0], what: `a number of ${name} is ${broken}` };
  }
  return undefined;
}

/** x·0 is 0 for finite x and NaN otherwise. Ten times faster than a callback for each number, of which a state has millions. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * 0;
  return sum === 0;
}

/**
 * @param lastCheckpoint the checkpoint to return to, if there is one.
 */
function diverged(
  { epoch, step, phase, what }: Divergence,
  lastCheckpoint: string | undefined,
): GanOnnxError {
  return new GanOnnxError({
    what: `${what}: the training has diverged`,
    where: `epoch ${epoch}, step ${step}, update of the ${phase}`,
    fix: text`lower ${setting("learningRate")}${lastCheckpoint ? `; the last good state is in ${lastCheckpoint}` : ""}`,
  });
}
