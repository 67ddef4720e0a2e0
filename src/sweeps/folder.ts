import { existsSync } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { resolveConfig } from "../config.js";
import { GanOnnxError, setting, text } from "../error.js";
import { readJson, requireWritable, unwritable, writeAtomically } from "../files.node.js";
import { readConfigFile } from "../runs/config-file.js";
import { runFiles } from "../runs/run-folder.js";
import { type TableRun, tableRun } from "../runs/table.js";
import { type PlannedRun, runsOf } from "./plan.js";

/** A plan, its runs and its folder. */
export interface Sweep {
  readonly folder: string;
  readonly plan: unknown;
  readonly runs: readonly PlannedRun[];
}

/** The files of a sweep. Tasks count from 0, as in Slurm's arrays and Kubernetes' indexed Jobs. */
export function sweepFiles(folder: string) {
  return {
    /** A copy of the plan. */
    plan: join(folder, "sweep.json"),
    /** The settings of a task's run. */
    settings: (task: number) => join(folder, `task-${task}.json`),
    /** The folder of the run. */
    run: (task: number) => join(folder, `task-${task}`),
  };
}

/** Whether a folder is that of a sweep. */
export const isSweep = (folder: string) => existsSync(sweepFiles(folder).plan);

/**
 * Read and check the sweep of a plan. Nothing is written.
 *
 * @param path the plan, or the folder of a sweep, which contains one.
 * @param out the folder of the sweep. The default is `sweeps/<name of the plan>`.
 * @throws {@link GanOnnxError} (usage) when the plan is wrong. The message names file and field.
 */
export async function readSweep(path: string, out?: string): Promise<Sweep> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const file = isFolder ? sweepFiles(path).plan : path;
  const plan = await readJson(file);
  const folder = out ?? (isFolder ? path : join("sweeps", basename(path).replace(/\.json$/, "")));
  return { folder, plan, runs: runsOf(plan, file) };
}

/**
 * Write the configuration of each run into the folder of a sweep. Existing files are not changed, so several processes
 * may do this at the same time. The plan may have more runs than before.
 *
 * @param only the number of a run, to leave the others to other processes.
 * @throws {@link GanOnnxError} when the folder belongs to another sweep, or cannot be written.
 */
export async function writeSweep({ folder, plan, runs }: Sweep, only?: number): Promise<void> {
  const files = sweepFiles(folder);
  await requireWritable(folder);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw unwritable(folder, cause);
  });
  for (const [task, { settings }] of runs.entries()) {
    if (only !== undefined && task !== only) continue;
    const path = files.settings(task);
    if (!existsSync(path)) await writeAtomically(path, `${JSON.stringify(settings, null, 2)}\n`);
    else if (!isDeepStrictEqual(await readConfigFile(path), settings)) throw another(path);
  }
  const tasks = await tasksIn(folder);
  const more = tasks.find((task) => task >= runs.length);
  if (more !== undefined) throw another(files.settings(more));
  const written = existsSync(files.plan) ? await readJson(files.plan) : undefined;
  if (!isDeepStrictEqual(written, plan))
    await writeAtomically(files.plan, `${JSON.stringify(plan, null, 2)}\n`);
}

/** The numbers of the runs with a configuration in the folder of a sweep, in order. */
async function tasksIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .flatMap((name) => name.match(/^task-(\d{1,6})\.json$/)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function another(path: string): GanOnnxError {
  return new GanOnnxError({
    what: "is of another plan",
    where: path,
    fix: text`choose another folder with ${setting("out")}, or use the plan of this one (more runs may be added at its end)`,
    kind: "usage",
  });
}

/** The runs of a sweep for a table of results, including those that have not begun. */
export async function sweepRuns(folder: string): Promise<TableRun[]> {
  const files = sweepFiles(folder);
  return Promise.all(
    (await tasksIn(folder)).map(async (task) => {
      const run = files.run(task);
      if (existsSync(runFiles(run).config)) return tableRun(run);
      const path = files.settings(task);
      const { flat } = resolveConfig({}, { path, settings: await readConfigFile(path) });
      return { name: basename(run), folder: run, settings: flat };
    }),
  );
}
