import { readFile } from "node:fs/promises";
import { jsonIn } from "../json.js";
import type { Checkpoint } from "../training/checkpoint.js";
import type { Divergence, Workplace } from "../training/training.js";
import { type Changes, rescheduled } from "./changes.js";
import { type FoundCheckpoint, newestCheckpoint } from "./checkpoints.js";
import { designFrom } from "./design.js";
import { assemble, type Run } from "./run.js";
import { networkIn, runFiles } from "./run-folder.js";
import { runtimeOf } from "./runtimes.js";
import type { Configuration } from "./settings.js";

/** The maximum number of rollbacks of a run. */
const MOST = 3;

/** A run with its current configuration, and the reason if it was changed. */
export interface Attempt {
  readonly run: Run;
  readonly configuration: Configuration;
  readonly changes: Changes;
  /** The divergence before the rollback; undefined for the first attempt. */
  readonly diverged?: Divergence;
}

/**
 * Train. If a number becomes NaN or infinite and the configuration allows it, go back to the last good checkpoint, or
 * to the start if there is none, with all learning rates halved. This happens at most three times per run, as counted
 * in `changes.jsonl`. The result is the same as after resuming with that rate.
 *
 * @param attempt trains, with a workplace that it passes through `hear`.
 * @param say receives one line per rollback.
 * @throws the error of `attempt`, if no rollback is possible.
 */
export async function trainWithRollbacks(
  first: Omit<Attempt, "diverged">,
  attempt: (attempt: Attempt, hear: (workplace: Workplace) => Workplace) => Promise<Checkpoint>,
  say: (line: string) => void,
): Promise<Checkpoint> {
  let current: Attempt = first;
  for (;;) {
    let diverged: Divergence | undefined;
    const hear = (workplace: Workplace): Workplace => ({
      ...workplace,
      keeper: {
        ...workplace.keeper,
        async diverged(where) {
          diverged = where;
          await workplace.keeper.diverged?.(where);
        },
      },
    });
    try {
      return await attempt(current, hear);
    } catch (error) {
      const next = diverged && (await rolledBack(current, diverged, say));
      if (!next) throw error;
      current = next;
    }
  }
}

async function rolledBack(
  { run, configuration }: Attempt,
  diverged: Divergence,
  say: (line: string) => void,
): Promise<Attempt | undefined> {
  const { onNan } = configuration.run;
  if (onNan !== "rollback" || runtimeOf(configuration.run).unresumable !== undefined) return undefined;
  const number = (await rollbacksIn(run.folder)) + 1;
  const changes = Object.fromEntries(
    Object.entries(configuration.flat).flatMap(([key, value]) =>
      /^(.*L|l)earningRate$/.test(key) && typeof value === "number"
        ? [[key, { from: value, to: value / 2 }] as const]
        : [],
    ),
  );
  if (number > MOST || Object.keys(changes).length === 0) return undefined;
  const halved = (settings: Readonly<Record<string, unknown>>) => ({
    ...settings,
    ...Object.fromEntries(
      Object.entries(changes).flatMap(([key, { to }]) => (key in settings ? [[key, to]] : [])),
    ),
  });
  const { flat, recipe } = configuration;
  const slower = { ...configuration, flat: halved(flat), recipe: halved(recipe) };
  const found = await newestCheckpoint(run.folder, say).catch(() => undefined);
  const again = await restarted(run, slower, found);
  const { epoch, step } = again.start.position;
  const rates = Object.entries(changes).map(([key, { from, to }]) => `${key} ${from} to ${to}`);
  say(
    `rollback ${number} of ${MOST}: ${diverged.what} in epoch ${diverged.epoch}, step ${diverged.step}, update of the ` +
      `${diverged.phase}; back to epoch ${epoch}, step ${step}; ${rates.join(", ")}`,
  );
  return { run: again, configuration: slower, changes, diverged };
}

/**
 * Restart a run in this process from its last checkpoint, or from its start if there is none, with other learning
 * rates.
 *
 * @param found the checkpoint.
 */
async function restarted(
  run: Run,
  configuration: Configuration,
  found: FoundCheckpoint | undefined,
): Promise<Run> {
  const { dataset, heldOut, folder } = run;
  const { checkpoint, path } = found ?? { checkpoint: run.start, path: undefined };
  const designed = await designFrom(configuration, checkpoint.position, networkIn(folder));
  const start = rescheduled(checkpoint, designed.design, configuration.run.batchSize);
  const next = assemble(configuration, folder, { ...dataset, heldOut }, designed, start);
  return { ...next, resumed: path, again: found === undefined };
}

/** The number of rollbacks of a run. */
async function rollbacksIn(folder: string): Promise<number> {
  const text = await readFile(runFiles(folder).changes, "utf8").catch(() => "");
  return text.split("\n").filter((line) => {
    const change = jsonIn(line);
    return typeof change === "object" && change !== null && "diverged" in change;
  }).length;
}
