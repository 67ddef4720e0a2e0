import { existsSync } from "node:fs";
import { appendFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { unwritable, writeAtomically } from "../files.node.js";
import type { MetricsLine } from "../training/training.js";
import { jsonLines } from "./json-lines.js";

/** The default folder of runs. */
export const RUNS = "runs";

/** The files of a run. */
export function runFiles(folder: string) {
  return {
    config: join(folder, "config.json"),
    metrics: join(folder, "metrics.jsonl"),
    scores: join(folder, "scores.jsonl"),
    /** The origin of the run: its data, its sessions, its machines. */
    provenance: join(folder, "provenance.json"),
    /** What changed when the run was resumed. */
    changes: join(folder, "changes.jsonl"),
    checkpoint: join(folder, "checkpoint.safetensors"),
    /** Earlier checkpoints. Number 1 is the newest of them. */
    earlierCheckpoint: (number: number) => join(folder, `checkpoint-before-${number}.safetensors`),
    /** The checkpoint after an epoch, if the run keeps it. */
    epochCheckpoint: (epoch: number) => join(folder, `checkpoint-${epoch}.safetensors`),
    /** The checkpoint of the epoch with the best scores, if the run keeps it. */
    bestCheckpoint: join(folder, "checkpoint-best.safetensors"),
    realImages: join(folder, "img", "real_images.png"),
    /** A copy of the ONNX file of a network. */
    network: (name: string) => join(folder, "networks", `${name}.onnx`),
    fakeImages: (epoch: number) => join(folder, "img", `fake_images-${epoch}.png`),
  };
}

/** The folder of a new run, named by recipe and time: `runs/vanilla-2026-11-23T06-30-00-123`. */
export function newRunFolder(recipe: string, now: Date): string {
  return join(RUNS, `${recipe}-${now.toISOString().slice(0, 23).replaceAll(/[:.]/g, "-")}`);
}

/**
 * Check that the folder of a run exists.
 *
 * @throws {@link GanOnnxError} (usage) when it does not.
 */
export function requireFolder(folder: string): void {
  if (existsSync(folder)) return;
  throw new GanOnnxError({
    what: "no such run",
    where: folder,
    fix: `name the folder of a run; ${RUNS}/ holds those that were started without an output folder`,
    kind: "usage",
  });
}

/**
 * The run in `runs/` with the newest checkpoint.
 *
 * @throws {@link GanOnnxError} when there is none.
 */
export async function latestRun(): Promise<string> {
  const names = await readdir(RUNS).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const { checkpoint } = runFiles(join(RUNS, name));
      return existsSync(checkpoint) ? [{ name, time: (await stat(checkpoint)).mtimeMs }] : [];
    }),
  );
  const [newest] = found.flat().sort((a, b) => b.time - a.time);
  if (newest) return join(RUNS, newest.name);
  throw new GanOnnxError({
    what: "has no run with a checkpoint",
    where: `${RUNS}/`,
    fix: "run `gan-onnx train` first, or name the folder of a run",
    kind: "usage",
  });
}

/**
 * Append to a run's `metrics.jsonl`, one line per step. The key of the step is `iteration`, because users have such
 * files.
 */
export async function appendMetrics(path: string, lines: readonly MetricsLine[]): Promise<void> {
  const text = lines
    .map(({ epoch, step, metrics }) => `${JSON.stringify({ epoch, iteration: step, ...metrics })}\n`)
    .join("");
  try {
    await appendFile(path, text);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Where a line of `metrics.jsonl` or `scores.jsonl` stands; scores are of the end of their epoch. */
const place = z.object({ epoch: z.number(), iteration: z.number().default(Number.POSITIVE_INFINITY) });

/**
 * Check a run's `metrics.jsonl`.
 *
 * @returns how many lines it has.
 * @throws GanOnnxError naming the first line that is none; the last one may be cut off, as the process may have been
 * killed.
 */
export async function checkMetrics(path: string): Promise<number> {
  let count = 0;
  for await (const { number, value, complete } of jsonLines(path)) {
    if (!complete) break;
    const numbers = typeof value === "object" && value !== null ? Object.values(value) : [];
    if (numbers.length === 0 || !numbers.every((value) => typeof value === "number")) {
      throw new GanOnnxError({
        what: `line ${number} is no record of a step`,
        where: path,
        fix: "remove the line",
      });
    }
    count = number;
  }
  return count;
}

/**
 * Drop what a run recorded after the position of its checkpoint: those steps are made again. Lines that are no records
 * are dropped, too.
 *
 * @param epoch complete epochs.
 * @param step steps in the current epoch.
 */
export async function truncateMetrics(
  path: string,
  { epoch, step }: { epoch: number; step: number },
): Promise<void> {
  if (!existsSync(path)) return;
  const kept: Buffer[] = [];
  const end = Buffer.from("\n");
  for await (const { value, bytes } of jsonLines(path)) {
    // The last line may be cut off: the process was killed.
    const at = place.safeParse(value).data;
    if (at && (at.epoch <= epoch || (at.epoch === epoch + 1 && at.iteration <= step))) kept.push(bytes, end);
  }
  await writeAtomically(path, Buffer.concat(kept));
}

/** Locate the file of a network for a run: its own copy, if there is one. */
export function networkIn(folder: string): (network: string, file: string) => string {
  return (network, file) => {
    const copy = runFiles(folder).network(network);
    return existsSync(copy) ? copy : file;
  };
}
