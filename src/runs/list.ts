import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { isClaimed } from "./claim.js";
import { type Provenance, timeOf } from "./provenance.js";
import { type Curve, type RunReport, readReport } from "./report-data.js";

/** A run in a table. */
export interface ListedRun {
  readonly run: string;
  readonly recipe: string;
  readonly data: string;
  /** The number of complete epochs, and the configured number. */
  readonly epoch: number;
  readonly epochs: number;
  readonly state: "complete" | "stopped" | "diverged" | "training";
  /** Seconds of training, and steps per second, over all its sessions. */
  readonly seconds?: number;
  readonly stepsPerSecond?: number;
  /** The origin of the run, if it is recorded. */
  readonly provenance?: Provenance;
  /** The last value of each score. */
  readonly scores: Readonly<Record<string, number>>;
}

/**
 * List the runs in a folder, the newest last.
 *
 * @throws {@link GanOnnxError} when the folder does not exist.
 */
export async function listRuns(folder: string): Promise<ListedRun[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new GanOnnxError({
      what: "is no folder",
      where: folder,
      fix: "name the folder that holds the runs",
      kind: "usage",
      cause,
    });
  });
  const found = await Promise.all(
    names.map(async (name) => {
      const run = join(folder, name);
      const stats = await stat(join(run, "config.json")).catch(() => undefined);
      return stats ? [{ time: stats.mtimeMs, row: await listedRun(run, await readReport(run)) }] : [];
    }),
  );
  return found
    .flat()
    .sort((a, b) => a.time - b.time)
    .map(({ row }) => row);
}

/** A run in the list, from the data of its report. */
export async function listedRun(
  run: string,
  { settings, scores, sheets, provenance }: RunReport,
): Promise<ListedRun> {
  const epochs = typeof settings.epochs === "number" ? settings.epochs : 0;
  const reached = sheets.at(-1)?.epoch ?? 0;
  const diverged = provenance?.sessions.at(-1)?.diverged !== undefined;
  const ended = reached === epochs ? "complete" : diverged ? "diverged" : "stopped";
  return {
    run,
    recipe: textIn(settings.recipe),
    data: textIn(settings.data),
    epoch: reached,
    epochs,
    state: (await isClaimed(run)) ? "training" : ended,
    ...(provenance && { ...timeOf(provenance), provenance }),
    scores: lastOf(scores),
  };
}

/** A text of a configuration, or what is in its place. */
const textIn = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

/** The last value of each curve. */
export function lastOf(curves: readonly Curve[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    curves.flatMap(({ name, points }) => (points.length > 0 ? [[name, points[points.length - 1][1]]] : [])),
  );
}
