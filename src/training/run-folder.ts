import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, link, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { readBytes, unwritable, writeAtomically, writeNew } from "../files.js";
import { jsonIn } from "../json.js";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.js";
import type { MetricsLine } from "./trainer.js";

/** Where runs go unless told. */
export const RUNS = "runs";

/** The files of a run. */
export function runFiles(folder: string) {
  return {
    config: join(folder, "config.json"),
    /** There while a process trains. */
    lock: join(folder, "run.lock"),
    metrics: join(folder, "metrics.jsonl"),
    checkpoint: join(folder, "checkpoint.safetensors"),
    realImages: join(folder, "img", "real_images.png"),
    fakeImages: (epoch: number) => join(folder, "img", `fake_images-${epoch}.png`),
  };
}

/** A folder for a new run, named by recipe and time: `runs/vanilla-2026-11-23T06-30-00-123`. */
export function newRunFolder(recipe: string, now: Date): string {
  return join(RUNS, `${recipe}-${now.toISOString().slice(0, 23).replaceAll(/[:.]/g, "-")}`);
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
    what: "holds no run with a checkpoint",
    where: `${RUNS}/`,
    fix: "run `gan-onnx train` first, or name the folder of a run",
    kind: "usage",
  });
}

/**
 * Have a run's folder for this process alone, which `run.lock` names, until the returned function gives it back. What
 * a process that was killed has left there does not count.
 *
 * @throws GanOnnxError when another process has it.
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const { lock } = runFiles(folder);
  while (!(await writeNew(lock, `${process.pid}\n`))) {
    const holder = await holderOf(lock);
    if (isRunning(holder)) {
      throw new GanOnnxError({
        what: `is being trained already, by process ${holder}`,
        where: folder,
        fix: `wait until it ends, or end it (if it is something else, delete ${lock})`,
      });
    }
    // Several may find it so at once: a file can be taken away by one of them only, and what is taken is looked at.
    const taken = `${lock}.${randomUUID()}`;
    const took = await rename(lock, taken).then(
      () => true,
      () => false,
    );
    if (took && (await holderOf(taken)) !== holder) await link(taken, lock).catch(() => {});
    await rm(taken, { force: true });
  }
  return async () => {
    if ((await holderOf(lock)) === String(process.pid)) await rm(lock, { force: true });
  };
}

/** The process that a lock names. */
async function holderOf(lock: string): Promise<string> {
  return (await readFile(lock, "utf8").catch(() => "")).trim();
}

function isRunning(pid: string): boolean {
  // The number of a process that is gone may have become this one's own.
  if (!/^[1-9]\d*$/.test(pid) || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    // It is there, but somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * The checkpoint in a file.
 *
 * @throws GanOnnxError naming file and field when it is missing, corrupt or something else.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  if (!existsSync(path)) {
    throw new GanOnnxError({
      what: "is not there: the run has not come to its first checkpoint, or ended before it",
      where: path,
      fix: "wait for it, or start the run anew in another folder",
    });
  }
  return decodeCheckpoint(await readBytes(path), path);
}

/** Append to a run's `metrics.jsonl`, one line a step. */
export async function appendMetrics(path: string, lines: readonly MetricsLine[]): Promise<void> {
  const text = lines.map(({ metrics, ...at }) => `${JSON.stringify({ ...at, ...metrics })}\n`).join("");
  try {
    await appendFile(path, text);
  } catch (cause) {
    throw unwritable(path, cause);
  }
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
