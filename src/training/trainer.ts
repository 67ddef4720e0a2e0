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

/**
 * Train until the epochs are complete or `signal` asks to stop; either way the checkpoint that is kept last holds every
 * step made. The loop knows one rule: output `next/X` replaces state X, every other output is a metric.
 *
 * @returns where the run stands.
 * @throws GanOnnxError when a metric is no longer a number, or something cannot be kept.
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

/** A call of the training graph that is under way, and the state that it leaves if a checkpoint is due then. */
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
  const length = await callLengthOf(training, engine, workplace);
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
    // Whoever waits for them will hear of it.
    for (const promise of [outputs, state]) promise?.catch(() => {});
    return { planned, outputs, state };
  };
  /** The sheet first: an epoch that the checkpoint counts is not made again. */
  const keep = async (checkpoint: Checkpoint, endsEpoch: boolean) => {
    if (endsEpoch) await keeper.sheet(await painter.paint(checkpoint.state), checkpoint.position.epoch);
    if (endsEpoch && examiner) {
      const line = await examiner.examine(checkpoint.state, checkpoint.position.epoch);
      if (line) await keeper.scores?.(line);
    }
    if (!endsEpoch && keeper.preview) keeper.preview(await painter.paint(checkpoint.state));
    await keeper.checkpoint(checkpoint);
  };

  /** The error of a training that has diverged, once all that is good is kept. */
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
      // The next call is prepared, and waits at the engine, while this one computes; what a call leaves is kept meanwhile.
      const next = signal.aborted ? undefined : await begin();
      const { epoch, block, endsEpoch } = current.planned;
      const lines = linesOf(await current.outputs, epoch, block.firstStep);
      length.took(block.steps, performance.now() - ended);
      ended = performance.now();
      const broken = brokenMetric(lines, graph);
      if (broken) throw await stopped(broken);
      await keeper.metrics(lines);
      progress({ ...lines[lines.length - 1], lines, epochs, stepsInEpoch });
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

/** Steps in a call of an engine that cannot be measured: ORT's training runtime, which makes each on its own anyway. */
const UNMEASURED = 16;

/** How many steps calls have: as was asked for, or as the workplace has time for, or what is measured. */
async function callLengthOf(
  training: Training,
  engine: Engine,
  { longestCall }: Workplace,
): Promise<CallLength> {
  const { graph, dataset, batchSize, stepsPerCall } = training;
  if (stepsPerCall !== undefined) return { steps: () => stepsPerCall, took: () => {} };
  if (longestCall === undefined) return measuredLength(training, engine);
  const sizes = { imageCount: dataset.count, batchSize, stepsPerCall: dataset.count };
  const [first] = blocksOfEpoch(graph.batches, sizes);
  const most = mostStepsPerCall(graph.batches, { batchSize, stepsInEpoch: first.steps });
  return growingLength(most, longestCall);
}

/** How many steps a call should have, tried with the first batches; the engine is where it was afterwards. */
async function measuredLength(training: Training, engine: Engine): Promise<CallLength> {
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
  const times = await measureCalls(engine, feedsOf, most);
  return steadyLength(chooseStepsPerCall(times, most), undefined, surelyFitting(times));
}

/** What is left to do, one call of the training graph after the other. */
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

/** The metrics of a call of the graph, step by step; a repeated phase's are averaged over its repetitions. */
function linesOf(outputs: Tensors, epoch: number, firstStep: number): MetricsLine[] {
  const entries = [...outputs];
  const steps = entries[0][1].shape[0];
  return Array.from({ length: steps }, (_, i) => {
    const metrics = entries.map(([name, { data }]) => {
      const repeats = data.length / steps;
      const values = Array.from(data.subarray(i * repeats, (i + 1) * repeats), Number);
      return [name, values.reduce((sum, value) => sum + value, 0) / repeats] as const;
    });
    return { epoch, step: firstStep + i + 1, metrics: Object.fromEntries(metrics) };
  });
}

/** The first metric that is no number, with the network that is updated by its phase. */
function brokenMetric(lines: readonly MetricsLine[], graph: Training["graph"]): Divergence | undefined {
  for (const { epoch, step, metrics } of lines) {
    const name = Object.keys(metrics).find((metric) => !Number.isFinite(metrics[metric]));
    if (name === undefined) continue;
    const phase = graph.metrics.find((metric) => metric.name === name)?.phase ?? "";
    return { epoch, step, phase, what: `${name} is ${metrics[name]}` };
  }
  return undefined;
}

/** Metrics are measured before the update of their step: only the state tells whether that one went well. */
function brokenState(state: Tensors, { epoch, step }: MetricsLine): Divergence | undefined {
  for (const name of state.keys()) {
    const broken = floatsIn(state, name).find((value) => !Number.isFinite(value));
    if (broken === undefined) continue;
    return { epoch, step, phase: name.split("/", 1)[0], what: `a number of ${name} is ${broken}` };
  }
  return undefined;
}

/** @param lastCheckpoint what there is to go back to, if anything. */
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
