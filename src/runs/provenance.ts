import { createHash } from "node:crypto";
import { cpus, release, totalmem } from "node:os";
import { z } from "zod";
import type { Dataset } from "../data/load.node.js";
import { readJson, writeAtomically } from "../files.node.js";
import { onnxruntimeVersion } from "../runtime/provider-findings.node.js";
import { stepsPerEpoch } from "../training/batches.js";
import type { Training, Workplace } from "../training/training.js";
import { producer } from "../version.js";
import { runFiles } from "./run-folder.js";

const count = z.int().min(0);
const amount = z.number().min(0);
const position = z.object({ epoch: count, step: count });

/** One epoch whose last step was run in a session. */
const epoch = z.object({ epoch: count, steps: count, seconds: amount, stepsPerSecond: amount });

/** One process that trained the run: positions, times, speed, versions and machine. */
const session = z.object({
  from: position,
  /** The position of its last checkpoint. */
  to: position,
  started: z.string(),
  /** When its last checkpoint was saved: the end of the session, also if it was killed. */
  ended: z.string(),
  /** Between these two times. */
  seconds: amount,
  /** Steps up to its last checkpoint. */
  steps: count,
  versions: z.object({ "gan-onnx": z.string(), onnxruntime: z.string(), node: z.string() }),
  machine: z.object({
    platform: z.string(),
    processor: z.string(),
    cores: count,
    /** In bytes. */
    memory: count,
  }),
  epochs: z.array(epoch),
  /** Where the training diverged, if that ended the session. */
  diverged: position.extend({ phase: z.string(), what: z.string() }).optional(),
});

const provenance = z.object({
  /** The command that repeats the run. */
  command: z.string(),
  data: z.object({
    name: z.string(),
    count,
    channels: count,
    height: count,
    width: count,
    /** The size of images and labels in memory: one byte per number. */
    bytes: count,
    /** SHA-256 of these bytes: all images, then all labels, in the order of reading. */
    sha256: z.string(),
  }),
  sessions: z.array(session),
});

/** The origin of a run: the content of its `provenance.json`. */
export type Provenance = z.infer<typeof provenance>;
export type TrainingSession = Provenance["sessions"][number];

/** Read the origin of a run; undefined when the file is missing or invalid. */
export async function readProvenance(folder: string): Promise<Provenance | undefined> {
  return provenanceIn(await readJson(runFiles(folder).provenance).catch(() => undefined));
}

/** Check the content of such a file; undefined when it is invalid. */
export function provenanceIn(content: unknown): Provenance | undefined {
  return provenance.safeParse(content).data;
}

/** Seconds of training, and steps per second, over all sessions of a run. */
export function timeOf({ sessions }: Provenance): { seconds: number; stepsPerSecond: number } {
  const sum = (of: (one: TrainingSession) => number) => sessions.reduce((total, one) => total + of(one), 0);
  const seconds = sum((one) => one.seconds);
  return { seconds, stepsPerSecond: seconds > 0 ? rounded(sum(({ steps }) => steps) / seconds) : 0 };
}

/**
 * A workplace that also records the origin of the run, in a separate file: all other files depend only on settings,
 * data and seed.
 *
 * @param command the command that repeats the run.
 * @param warn called when the data differ from those of the first session.
 */
export function withProvenance(
  workplace: Workplace,
  run: Training & { readonly folder: string },
  { command, warn }: { command: string; warn: (message: string) => void },
): Workplace {
  const { keeper } = workplace;
  const { graph, dataset, batchSize, start, folder } = run;
  const path = runFiles(folder).provenance;
  const stepsInEpoch = stepsPerEpoch(graph.batches, dataset.count, batchSize);
  const stepsTo = ({ epoch, step }: TrainingSession["to"]) => epoch * stepsInEpoch + step;
  const from = { epoch: start.position.epoch, step: start.position.step };
  const started = new Date();
  const epochs: TrainingSession["epochs"] = [];
  let [began, epochBegan, steps] = [0, 0, 0];
  let before: TrainingSession[] = [];
  let data: Provenance["data"] | undefined;

  const write = async (to: TrainingSession["to"], diverged?: TrainingSession["diverged"]) => {
    if (!data) return;
    const session: TrainingSession = {
      from,
      to,
      started: started.toISOString(),
      ended: new Date().toISOString(),
      seconds: secondsSince(began),
      steps: stepsTo(to) - stepsTo(from),
      versions: { [producer.name as "gan-onnx"]: producer.version, ...versions() },
      machine: machine(),
      epochs: epochs.filter(({ epoch }) => epoch <= to.epoch),
      ...(diverged && { diverged }),
    };
    const content: Provenance = { command, data, sessions: [...before, session] };
    await writeAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
  };
  let reached = from;
  return {
    ...workplace,
    keeper: {
      ...keeper,
      async begin() {
        await keeper.begin();
        if (from.epoch >= run.epochs) return;
        data = fingerprint(dataset);
        const previous = await readProvenance(folder);
        before = previous?.sessions ?? [];
        if (previous && previous.data.sha256 !== data.sha256) {
          warn(`warning: ${dataset.name} is not what it was when the run began (${path}: sha256)`);
        }
        [began, epochBegan] = [performance.now(), performance.now()];
        await write(from);
      },
      async metrics(lines) {
        await keeper.metrics(lines);
        steps += lines.length;
        const last = lines.at(-1);
        if (last?.step !== stepsInEpoch) return;
        const seconds = secondsSince(epochBegan);
        const stepsPerSecond = seconds > 0 ? rounded(steps / seconds) : 0;
        epochs.push({ epoch: last.epoch, steps, seconds, stepsPerSecond });
        [epochBegan, steps] = [performance.now(), 0];
      },
      async checkpoint(checkpoint) {
        await keeper.checkpoint(checkpoint);
        reached = { epoch: checkpoint.position.epoch, step: checkpoint.position.step };
        await write(reached);
      },
      async diverged(where) {
        await keeper.diverged?.(where);
        await write(reached, where);
      },
    },
  };
}

function secondsSince(time: number): number {
  return rounded((performance.now() - time) / 1000);
}

/** Round a number for reading. */
const rounded = (value: number) => Number(value.toFixed(3));

function versions() {
  return { onnxruntime: onnxruntimeVersion(), node: process.version.slice(1) };
}

function machine(): TrainingSession["machine"] {
  const all = cpus();
  return {
    platform: `${process.platform} ${process.arch} ${release()}`,
    processor: all[0]?.model.trim() || "unknown",
    cores: all.length,
    memory: totalmem(),
  };
}

/** The size of data, and a hash that identifies them. */
function fingerprint(dataset: Dataset): Provenance["data"] {
  const { name, count, channels, height, width, images, labels } = dataset;
  const hash = createHash("sha256").update(images);
  if (labels) hash.update(labels);
  const bytes = images.length + (labels?.length ?? 0);
  return { name, count, channels, height, width, bytes, sha256: hash.digest("hex") };
}
