import { existsSync } from "node:fs";
import { appendFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { readBytes, unwritable, writeAtomically } from "../files.node.js";
import { jsonIn } from "../json.js";
import { type Checkpoint, decodeCheckpoint } from "../training/checkpoint.js";
import type { MetricsLine } from "../training/training.js";

/** Where runs go unless told. */
export const RUNS = "runs";

/** The files of a run. */
export function runFiles(folder: string) {
  return {
    config: join(folder, "config.json"),
    /** There while the process trains. */
    claim: (pid: number) => join(folder, `run-${pid}.lock`),
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
 * Have a run's folder for this process alone, which `run-<pid>.lock` says, until the returned function gives it back.
 * What a process that was killed has left there does not count.
 *
 * Whoever comes says so first, and looks for others then: of two that come at once, one at least sees the other.
 *
 * @throws GanOnnxError when another process is there.
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const { claim } = runFiles(folder);
  const giveBack = () => rm(claim(process.pid), { force: true });
  await writeAtomically(claim(process.pid), "");
  for (const pid of await claimsIn(folder)) {
    if (pid === process.pid) continue;
    if (!isRunning(pid)) {
      await rm(claim(pid), { force: true });
      continue;
    }
    await giveBack();
    throw new GanOnnxError({
      what: `is being trained already, by process ${pid}`,
      where: folder,
      fix: `wait until it ends, or end it (if it is something else, delete ${claim(pid)})`,
    });
  }
  return giveBack;
}

/** The processes that say they train in a folder. */
export async function claimsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => name.match(/^run-([1-9]\d{0,9})\.lock$/)?.[1] ?? []).map(Number);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
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
