import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { GanOnnxError, setting, text } from "../error.js";
import { newestCheckpoint } from "../runs/checkpoints.js";
import { claimFolder } from "../runs/claim.js";
import { readConfigFile } from "../runs/config-file.js";
import { runFiles } from "../runs/run-folder.js";

/** The progress of a run: `new` if nothing can be resumed. */
export type Progress = "new" | "begun" | "complete";

/**
 * The progress of a run that may have been interrupted at any moment.
 *
 * @throws {@link GanOnnxError} when it has checkpoints and none can be read.
 */
export async function progressOf(run: string): Promise<Progress> {
  const files = runFiles(run);
  if (!existsSync(files.config) || !hasCheckpoint(run)) return "new";
  const { checkpoint } = await newestCheckpoint(run);
  const { epochs } = await readConfigFile(files.config);
  return checkpoint.position.epoch >= Number(epochs) ? "complete" : "begun";
}

const hasCheckpoint = (run: string) =>
  existsSync(runFiles(run).checkpoint) || existsSync(runFiles(run).earlierCheckpoint(1));

/**
 * Prepare a run without a checkpoint for a new start: its settings alone would count as an existing run.
 *
 * @throws {@link GanOnnxError} when another process uses the run.
 */
export async function clearUnsaved(run: string): Promise<void> {
  if (!existsSync(runFiles(run).config)) return;
  const claim = await claimFolder(run);
  try {
    if (!hasCheckpoint(run)) await rm(runFiles(run).config, { force: true });
  } finally {
    await claim.giveBack();
  }
}

/**
 * The number of a task, as given or from an environment variable.
 *
 * @throws {@link GanOnnxError} (usage) when the variable is not set, or there is no such run.
 */
export function taskNumber(
  { task, taskFrom }: { readonly task?: unknown; readonly taskFrom?: string },
  runs: number,
  environment: Readonly<Record<string, string | undefined>>,
): number | undefined {
  const [value, where] =
    taskFrom === undefined
      ? [task, setting("task")]
      : [environment[taskFrom], text`${setting("taskFrom")} ${taskFrom}`];
  if (value === undefined && taskFrom === undefined) return undefined;
  const number = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number < runs) return number;
  throw new GanOnnxError({
    what:
      value === undefined
        ? "is not set in the environment"
        : `needs the number of a run of the plan, 0 to ${runs - 1}, not ${String(value)}`,
    where,
    fix: taskFrom === undefined ? "choose one of these" : `set it to 0 to ${runs - 1}`,
    kind: "usage",
  });
}
