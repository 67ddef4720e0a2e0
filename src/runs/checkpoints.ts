import { existsSync } from "node:fs";
import { copyFile, link, readdir, rename, rm } from "node:fs/promises";
import { GanOnnxError, setting, text } from "../error.js";
import { readBytes, unwritable, writeAtomically } from "../files.node.js";
import { collectGarbage } from "../runtime/garbage.node.js";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../training/checkpoint.js";
import { runFiles } from "./run-folder.js";

/** Which checkpoints of a run are kept. */
export interface Keeping {
  /** The number of recent checkpoints. The default is 2, the newest and the one before. */
  readonly keep?: number;
  /** Keep one permanently every this many epochs. */
  readonly keepEvery?: number;
  /** Whether to keep the checkpoint with the best scores. */
  readonly keepBest?: boolean;
}

const KEEP = 2;

/**
 * Read a checkpoint file.
 *
 * @throws {@link GanOnnxError} when it is missing, corrupt or not a checkpoint.
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

/** A checkpoint of a run, and its file. */
export interface FoundCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly path: string;
}

/**
 * The newest readable checkpoint of a run.
 *
 * @param warn called when the newest one is damaged and an older one is used.
 * @throws {@link GanOnnxError} when there is none, with what is wrong with the newest.
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
      warn(`${why}\n${path} is used instead: it stands at epoch ${epoch}, step ${step}`);
      return { checkpoint, path };
    }
    throw error;
  }
}

/**
 * The checkpoint after an epoch, or after the epoch with the best scores.
 *
 * @throws {@link GanOnnxError} when the run has not kept it. The message names the epochs that exist.
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

/** Make the checkpoint that a run was resumed from its newest again. The caller must own the folder. */
export async function restoreCheckpoint(folder: string, from: string): Promise<void> {
  const { checkpoint } = runFiles(folder);
  if (from === checkpoint) return;
  await rename(from, checkpoint).catch((cause: unknown) => {
    throw unwritable(checkpoint, cause);
  });
}

/** Save a checkpoint as the newest of a run, and keep the previous one beside it. */
export async function keepCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  { keep = KEEP, keepEvery }: Keeping = {},
): Promise<void> {
  const files = runFiles(folder);
  // The newest checkpoint has its name at every moment.
  for (let number = keep - 1; number > 1; number--) {
    const before = files.earlierCheckpoint(number - 1);
    if (existsSync(before)) await rename(before, files.earlierCheckpoint(number));
  }
  if (keep > 1 && existsSync(files.checkpoint)) await linkOver(files.checkpoint, files.earlierCheckpoint(1));
  await writeAtomically(files.checkpoint, encodeCheckpoint(checkpoint));
  // The bytes of the file, and the state of the checkpoint before.
  collectGarbage();
  const { epoch, step } = checkpoint.position;
  if (keepEvery !== undefined && step === 0 && epoch % keepEvery === 0)
    await linkOver(files.checkpoint, files.epochCheckpoint(epoch));
}

/** Give a file a second name and replace a file with that name. Copy it on file systems without links. */
export async function linkOver(file: string, name: string): Promise<void> {
  try {
    await rm(name, { force: true });
    await link(file, name).catch(() => copyFile(file, name));
  } catch (cause) {
    throw unwritable(name, cause);
  }
}
