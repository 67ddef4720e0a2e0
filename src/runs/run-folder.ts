import { existsSync } from "node:fs";
import { appendFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { readBytes, unwritable, writeAtomically } from "../files.node.js";
import { jsonIn } from "../json.js";
import type { MetricsLine } from "../training/training.js";

/** Where runs go unless told. */
export const RUNS = "runs";

/** The files of a run. */
export function runFiles(folder: string) {
  return {
    config: join(folder, "config.json"),
    metrics: join(folder, "metrics.jsonl"),
    scores: join(folder, "scores.jsonl"),
    /** Where the run comes from: its data, its sessions, what they ran on. */
    provenance: join(folder, "provenance.json"),
    /** What changed when the run was resumed. */
    changes: join(folder, "changes.jsonl"),
    checkpoint: join(folder, "checkpoint.safetensors"),
    /** Checkpoints before that one, the newest of them being number 1. */
    earlierCheckpoint: (number: number) => join(folder, `checkpoint-before-${number}.safetensors`),
    /** The checkpoint at the end of an epoch, of a run that keeps it. */
    epochCheckpoint: (epoch: number) => join(folder, `checkpoint-${epoch}.safetensors`),
    /** The one of the epoch with the best scores, of a run that keeps it. */
    bestCheckpoint: join(folder, "checkpoint-best.safetensors"),
    realImages: join(folder, "img", "real_images.png"),
    /** A copy of the ONNX file that a network of the run comes from. */
    network: (name: string) => join(folder, "networks", `${name}.onnx`),
    fakeImages: (epoch: number) => join(folder, "img", `fake_images-${epoch}.png`),
  };
}

/** A folder for a new run, named by recipe and time: `runs/vanilla-2026-11-23T06-30-00-123`. */
export function newRunFolder(recipe: string, now: Date): string {
  return join(RUNS, `${recipe}-${now.toISOString().slice(0, 23).replaceAll(/[:.]/g, "-")}`);
}

/** Make sure that the folder of a run is there. Throws {@link GanOnnxError} (usage) naming it. */
export function requireFolder(folder: string): void {
  if (existsSync(folder)) return;
  throw new GanOnnxError({
    what: "no such run",
    where: folder,
    fix: `name the folder of a run; ${RUNS}/ holds those that were not told where to go`,
    kind: "usage",
  });
}

/** The run in `runs/` whose checkpoint is newest. Throws when there is none. */
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

/** Append to a run's `metrics.jsonl`, one line a step. The step is called `iteration` there: users hold such files. */
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

/**
 * The lines of a run's `metrics.jsonl`.
 *
 * @throws GanOnnxError naming the first line that is none; the last one may be cut off, as the process may have been
 * killed.
 */
export async function readMetrics(path: string): Promise<Readonly<Record<string, number>>[]> {
  const lines = new TextDecoder().decode(await readBytes(path)).split("\n");
  return lines.slice(0, -1).map((line, i) => {
    const read = jsonIn(line);
    const numbers = typeof read === "object" && read !== null ? Object.values(read) : [];
    if (numbers.length > 0 && numbers.every((value) => typeof value === "number"))
      return read as Record<string, number>;
    throw new GanOnnxError({
      what: `line ${i + 1} is no record of a step`,
      where: path,
      fix: "remove the line",
    });
  });
}

/**
 * Drop what a run recorded after the position of its checkpoint: those steps are made again.
 *
 * @param epochs complete epochs, and `step` steps of the one after.
 */
export async function truncateMetrics(
  path: string,
  { epoch, step }: { epoch: number; step: number },
): Promise<void> {
  if (!existsSync(path)) return;
  const text = new TextDecoder().decode(await readBytes(path));
  const kept = text.split("\n").filter((line) => {
    // The last line may be cut off: the process was killed.
    const at = jsonIn(line) as { epoch: number; iteration: number } | null | undefined;
    return at && (at.epoch <= epoch || (at.epoch === epoch + 1 && at.iteration <= step));
  });
  await writeAtomically(path, kept.map((line) => `${line}\n`).join(""));
}

/** Where the file of a network lies for a run in a folder: its own copy. */
export function networkIn(folder: string): (network: string, file: string) => string {
  return (network, file) => {
    const copy = runFiles(folder).network(network);
    return existsSync(copy) ? copy : file;
  };
}
