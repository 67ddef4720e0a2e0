import { appendFile } from "node:fs/promises";
import { unwritable } from "../files.node.js";
import type { Design } from "../recipes/index.js";
import { stepsPerEpoch } from "../training/batches.js";
import type { Checkpoint } from "../training/checkpoint.js";
import { withOwnSchedule } from "../training/state.js";
import { batchInputs } from "../training/step-graph.js";
import type { Divergence } from "../training/training.js";

/** The old value of a setting, `null` for none, and the new one. */
export interface Change {
  readonly from: unknown;
  readonly to: unknown;
}

/** Settings that were changed when a run was resumed. */
export type Changes = Readonly<Record<string, Change>>;

/**
 * Append changes to a run's `changes.jsonl`, with the epoch and step; nothing if there are none.
 *
 * @param diverged the reason, if the run went back automatically.
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

/** Adapt the checkpoint of a resumed run to the schedule of its design. */
export function rescheduled(checkpoint: Checkpoint, design: Design, batchSize: number): Checkpoint {
  const { images, epoch, step } = checkpoint.position;
  const made = epoch * stepsPerEpoch(batchInputs(design), images, batchSize) + step;
  return { ...checkpoint, state: withOwnSchedule(design, checkpoint.state, made) };
}
