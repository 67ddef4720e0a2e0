import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { GanOnnxError } from "../error.js";
import { runFiles } from "../runs/run-folder.js";
import { settingsOf } from "./run-view.js";

/** The URL of the list of runs that are compared. */
export const RUNS = "/runs.json";

/** Runs to compare: these folders, or all runs in one folder, also those that begin later. */
export type ServedRuns = { readonly folders: readonly string[] } | { readonly within: string };

/** A run in the list: by `key` the page asks for it. */
export interface ListedRun {
  readonly key: string;
  readonly name: string;
  /** All settings, as text. */
  readonly settings: Readonly<Record<string, string>>;
}

interface FoundRun extends Pick<ListedRun, "key" | "name"> {
  readonly folder: string;
}

/** The maximum number of runs that are compared: the newest by name, since names hold the time unless told otherwise. */
const MOST = 24;

/** The runs as they are now. */
export async function listOf(served: ServedRuns): Promise<ListedRun[]> {
  const found = await runsOf(served);
  return Promise.all(
    found.map(async ({ key, name, folder }) => ({ key, name, settings: await settingsOf(folder) })),
  );
}

async function runsOf(served: ServedRuns): Promise<FoundRun[]> {
  if ("folders" in served) {
    return served.folders.map((folder, i) => ({ key: String(i), name: basename(resolve(folder)), folder }));
  }
  const names = await readdir(served.within).catch(() => []);
  return names
    .sort()
    .map((name) => ({ key: name, name, folder: join(served.within, name) }))
    .filter(({ folder }) => existsSync(runFiles(folder).config))
    .slice(-MOST);
}

/** The folder of the run that a path names, and the path as for a single run: `/run.json`, `/run/…`. */
export async function runAt(
  served: ServedRuns,
  path: string,
): Promise<{ readonly folder: string; readonly rest: string } | undefined> {
  const [, key, rest] = path.match(/^\/runs\/([^/]+)(\/run(?:\.json|\/.*))$/) ?? [];
  if (key === undefined) return undefined;
  // Only what is in the list: no path leads anywhere else.
  const found = (await runsOf(served)).find((run) => encodeURIComponent(run.key) === key);
  return found && { folder: found.folder, rest };
}

/**
 * Check that a folder can hold runs.
 *
 * @throws {@link GanOnnxError} (usage) when it does not exist.
 */
export async function requireRuns(folder: string): Promise<void> {
  if (await readdir(folder).catch(() => undefined)) return;
  throw new GanOnnxError({
    what: "is not a folder",
    where: folder,
    fix: "name a folder of runs, such as `runs`",
    kind: "usage",
  });
}
