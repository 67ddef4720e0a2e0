import { existsSync } from "node:fs";
import { copyFile, link, readdir, rename, rm } from "node:fs/promises";
import { GanOnnxError, setting, text } from "../error.js";
import { readBytes, unwritable, writeAtomically } from "../files.node.js";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../training/checkpoint.js";
import { runFiles } from "./run-folder.js";

/** Which checkpoints of a run are kept. */
export interface Keeping {
  /** How many of the last ones: 2 unless given, the newest and the one before it. */
  readonly keep?: number;
  /** Every so many epochs, one to come back to. */
  readonly keepEvery?: number;
  /** The one with the best scores. */
  readonly keepBest?: boolean;
}

const KEEP = 2;

/**
 * The checkpoint in a file.
 *
 * @throws GanOnnxError naming file and field when it is missing, corrupt or something else.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  if (!existsSync(path)) {
    throw new GanOnnxError({
      what: "no such file: the run has not written its first checkpoint",
      where: path,
      fix: "wait for it, or start a new run in another folder",
    });
  }
  return decodeCheckpoint(await readBytes(path), path);
}

/** A run's checkpoint, and the file that it comes from. */
export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly path: string;
}

/**
 * The newest checkpoint of a run that can be read.
 *
 * @param warn told when the newest one is damaged and an earlier one stands in for it.
 * @throws GanOnnxError when there is none, naming what is wrong with the newest.
 */
export async function newestCheckpoint(
  folder: string,
  warn: (message: string) => void = () => {},
): Promise<FoundCheckpoint> {
  const files = runFiles(folder);
  try {
    return { checkpoint: await readCheckpoint(files.checkpoint), path: files.checkpoint };
  } catch (error) {
    for (let number = 1; existsSync(files.earlierCheckpoint(number)); number++) {
      const path = files.earlierCheckpoint(number);
      const checkpoint = await readCheckpoint(path).catch(() => undefined);
      if (!checkpoint) continue;
      const { epoch, step } = checkpoint.position;
      const why = error instanceof Error ? error.message : String(error);
      warn(`${why}\n${path} is used instead: it stands at ${epoch} epochs and ${step} steps`);
      return { checkpoint, path };
    }
    throw error;
  }
}

/**
 * The checkpoint at the end of an epoch, or of the epoch with the best scores.
 *
 * @throws GanOnnxError naming the epochs that there are, when the run has kept none of this one.
 */
export async function checkpointOfEpoch(folder: string, epoch: number | "best"): Promise<FoundCheckpoint> {
  if (epoch === "best") return bestCheckpoint(folder);
  const path = runFiles(folder).epochCheckpoint(epoch);
  if (existsSync(path)) return { checkpoint: await readCheckpoint(path), path };
  const newest = runFiles(folder).checkpoint;
  const last = await readCheckpoint(newest).catch(() => undefined);
  if (last?.position.epoch === epoch && last.position.step === 0) return { checkpoint: last, path: newest };
  const names = await readdir(folder).catch(() => []);
  const epochs = names
    .flatMap((name) => name.match(/^checkpoint-(\d+)\.safetensors$/)?.[1] ?? [])
    .map(Number);
  throw new GanOnnxError({
    what: `has no checkpoint of epoch ${epoch}`,
    where: folder,
    fix:
      epochs.length > 0
        ? `choose one of ${epochs.sort((a, b) => a - b).join(", ")}`
        : text`train with ${setting("keepEvery", 1)} to keep each`,
    kind: "usage",
  });
}

async function bestCheckpoint(folder: string): Promise<FoundCheckpoint> {
  const path = runFiles(folder).bestCheckpoint;
  if (existsSync(path)) return { checkpoint: await readCheckpoint(path), path };
  throw new GanOnnxError({
    what: "has kept no best checkpoint",
    where: folder,
    fix: text`train with ${setting("keepBest")} and ${setting("evaluateEvery", 1)}, or name an epoch`,
    kind: "usage",
  });
}

/** Make the checkpoint that a run was resumed from its newest again, once the folder is this process's alone. */
export async function restoreCheckpoint(folder: string, from: string): Promise<void> {
  const { checkpoint } = runFiles(folder);
  if (from === checkpoint) return;
  await rename(from, checkpoint).catch((cause: unknown) => {
    throw unwritable(checkpoint, cause);
  });
}

/** Keep a checkpoint as a run's newest; the one that it follows stays beside it. */
export async function keepCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  { keep = KEEP, keepEvery }: Keeping = {},
): Promise<void> {
  const files = runFiles(folder);
  // At each moment of this the newest one has its name.
  for (let number = keep - 1; number > 1; number--) {
    const before = files.earlierCheckpoint(number - 1);
    if (existsSync(before)) await rename(before, files.earlierCheckpoint(number));
  }
  if (keep > 1 && existsSync(files.checkpoint)) await linkOver(files.checkpoint, files.earlierCheckpoint(1));
  await writeAtomically(files.checkpoint, encodeCheckpoint(checkpoint));
  const { epoch, step } = checkpoint.position;
  if (keepEvery !== undefined && step === 0 && epoch % keepEvery === 0)
    await linkOver(files.checkpoint, files.epochCheckpoint(epoch));
}

/** Give a file a second name, in place of whatever has that name. File systems without links get a copy. */
export async function linkOver(file: string, name: string): Promise<void> {
  try {
    await rm(name, { force: true });
    await link(file, name).catch(() => copyFile(file, name));
  } catch (cause) {
    throw unwritable(name, cause);
  }
}
