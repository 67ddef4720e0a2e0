import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GanOnnxError } from "../error.js";
import { claimsIn } from "./claim.js";
import { type Provenance, timeOf } from "./provenance.js";
import { readReport } from "./report-data.js";

/** A run in a table. */
export interface ListedRun {
  readonly run: string;
  readonly recipe: string;
  readonly data: string;
  /** The last epoch of which there is a step, and how many were asked for. */
  readonly epoch: number;
  readonly epochs: number;
  readonly state: "complete" | "stopped" | "diverged" | "training";
  /** Seconds of training, and steps per second, over all its sessions. */
  readonly seconds?: number;
  readonly stepsPerSecond?: number;
  /** Where it comes from, if it tells. */
  readonly provenance?: Provenance;
  /** The last of each score. */
  readonly scores: Readonly<Record<string, number>>;
}

/** The runs in a folder, the newest last. Throws when the folder is not there. */
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
      const there = await stat(join(run, "config.json")).catch(() => undefined);
      return there ? [{ time: there.mtimeMs, row: await described(run) }] : [];
    }),
  );
  return found
    .flat()
    .sort((a, b) => a.time - b.time)
    .map(({ row }) => row);
}

async function described(run: string): Promise<ListedRun> {
  const { settings, metrics, scores, sheets, provenance } = await readReport(run);
  const reached = Math.ceil(metrics[0]?.points.at(-1)?.[0] ?? 0);
  const epochs = Number(settings.epochs);
  const claimed = (await claimsIn(run)).length > 0;
  const complete = sheets.at(-1)?.epoch === epochs;
  const diverged = provenance?.sessions.at(-1)?.diverged !== undefined;
  return {
    run,
    recipe: String(settings.recipe),
    data: String(settings.data),
    epoch: reached,
    epochs,
    state: complete ? "complete" : claimed ? "training" : diverged ? "diverged" : "stopped",
    ...(provenance && { ...timeOf(provenance), provenance }),
    scores: Object.fromEntries(
      scores.flatMap(({ name, points }) => (points.length > 0 ? [[name, points[points.length - 1][1]]] : [])),
    ),
  };
}
