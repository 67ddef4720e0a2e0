import { appendFile } from "node:fs/promises";
import { unwritable } from "../files.node.js";
import type { Design } from "../recipes/index.js";
import { stepsPerEpoch } from "../training/batches.js";
import type { Checkpoint } from "../training/checkpoint.js";
import { withOwnSchedule } from "../training/state.js";
import { batchInputs } from "../training/step-graph.js";
import type { Divergence } from "../training/training.js";

/** What a setting was, `null` for none, and what it became. */
export interface Change {
  readonly from: unknown;
  readonly to: unknown;
}

/** Settings that a run changed when it was resumed. */
export type Changes = Readonly<Record<string, Change>>;

/**
 * Append to a run's `changes.jsonl` what changed, and after which epoch and step; nothing if nothing did.
 *
 * @param diverged why, if the run went back on its own.
 */
export async function recordChanges(
  path: string,
  { epoch, step }: { readonly epoch: number; readonly step: number },
  changes: Changes,
  diverged?: Divergence,
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  try {
    await appendFile(path, `${JSON.stringify({ epoch, step, changes, diverged })}\n`);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** A checkpoint of a run that is resumed, with what the schedule goes by as its design has one now. */
export function rescheduled(checkpoint: Checkpoint, design: Design, batchSize: number): Checkpoint {
  const { images, epoch, step } = checkpoint.position;
  const made = epoch * stepsPerEpoch(batchInputs(design), images, batchSize) + step;
  return { ...checkpoint, state: withOwnSchedule(design, checkpoint.state, made) };
}
