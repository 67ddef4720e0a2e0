import { createHash } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { jsonIn } from "../json.js";
import { isClaimed } from "../runs/claim.js";
import { provenanceIn } from "../runs/provenance.js";
import { runFiles } from "../runs/run-folder.js";

/** The URL of a run's news, and the URL prefix of its pictures. */
export const NEWS = "/run.json";
export const RUN = "/run/";

/** Show only the last part of a path. */
function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== "") ?? "";
}

/** The settings of a run that are shown. */
const shownSettings = z.object({
  recipe: z.string(),
  data: z.string().transform(lastPart),
  ep: z.string(),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  seed: z.int(),
  learningRate: z.number().optional(),
  loss: z.string().optional(),
});

/** A line of `scores.jsonl`, as the page shows it. */
const scoresLine = z.object({
  epoch: z.int().min(1),
  scores: z.record(z.string().max(64), z.number()),
  classes: z.array(z.number().min(0).max(1)).max(256).optional(),
});

/** What the page receives about a run. */
export interface News {
  /** The name of the run's folder. */
  readonly name: string;
  /** Whether the folder exists. */
  readonly there: boolean;
  readonly settings?: z.infer<typeof shownSettings>;
  /** The sheets by epoch, ascending, each with the time of its last change, so that the page reloads changed sheets. */
  readonly sheets: readonly (readonly [epoch: number, changed: number])[];
  /** The time of the last change of the sheet of real images. */
  readonly real?: number;
  readonly metrics?: MetricsPart;
  /** The last scores and the time of their change; absent if the page has them already. */
  readonly scores?: { readonly changed: number; readonly lines: readonly z.infer<typeof scoresLine>[] };
  /** Where the training diverged, if that ended it. */
  readonly diverged?: { readonly epoch: number; readonly step: number };
  /** Whether a process is training this run now. */
  readonly claimed: boolean;
}

/** Lines of `metrics.jsonl`. */
export interface MetricsPart {
  /** What tells this file, up to `next`, from others: a resumed run has a new file. */
  readonly file: string;
  /** The byte at which the lines begin: as requested, or 0 if the file is not the requested one. */
  readonly from: number;
  /** The byte to continue from. */
  readonly next: number;
  readonly text: string;
  /** Whether more data is available now. */
  readonly more: boolean;
  /** Seconds since the file was written. */
  readonly idle: number;
}

/** The maximum size of metrics in one answer, in bytes, and the maximum number of lines of scores. */
const [PART, SCORES] = [2 ** 20, 500];
/** The bytes before a part by which it is known. */
const IDENTITY = 1024;

/**
 * Check that a folder is a run, is empty, or does not exist yet, as before a run begins.
 *
 * @returns whether it exists.
 * @throws {@link GanOnnxError} (usage) when it is something else.
 */
export async function requireRun(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const names = await readdir(folder).catch(() => undefined);
  if (names && (names.length === 0 || names.includes(basename(runFiles(folder).config)))) return true;
  throw new GanOnnxError({
    what: names ? "is not the folder of a run: it has no config.json" : "is not a folder",
    where: folder,
    fix: "name the folder of a run, which `gan-onnx train` wrote",
    kind: "usage",
  });
}

/**
 * The news of a run, with its metrics from byte `from` of `file` on, and its scores unless they last changed at `scored`.
 * A missing run is reported, not thrown.
 */
export async function newsOf(
  folder: string,
  { file, from, scored }: { file: string; from: number; scored?: number },
): Promise<News> {
  const name = basename(resolve(folder));
  const files = await filesOf(folder);
  if (!files) return { name, there: false, sheets: [], claimed: false };
  const settings = shownSettings.safeParse(jsonIn((await contentOf(files.config))?.toString())).data;
  const names = await readdir(dirname(files.realImages)).catch(() => []);
  const epochs = names
    .flatMap((name) => name.match(/^fake_images-([1-9]\d{0,8})\.png$/)?.[1] ?? [])
    .map(Number);
  const sheets = await Promise.all(
    epochs
      .sort((a, b) => a - b)
      .map(async (epoch) => [epoch, await changeOf(files.fakeImages(epoch))] as const),
  );
  const claimed = await isClaimed(dirname(files.config));
  return {
    name,
    there: true,
    settings,
    sheets: sheets.flatMap(([epoch, changed]) => (changed === undefined ? [] : [[epoch, changed] as const])),
    real: await changeOf(files.realImages),
    metrics: await withFile(files.metrics, (handle) => metricsOf(handle, file, from)),
    scores: await scoresOf(files.scores, scored),
    diverged: claimed ? undefined : await divergenceOf(files.provenance),
    claimed,
  };
}

/** All settings of a run as text, paths by their last part; none while it has no configuration. */
export async function settingsOf(folder: string): Promise<Record<string, string>> {
  const files = await filesOf(folder);
  const settings = files && jsonIn((await contentOf(files.config))?.toString());
  const entries = typeof settings === "object" && settings !== null ? Object.entries(settings) : [];
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === "string" ? lastPart(value) : JSON.stringify(value),
    ]),
  );
}

/** The bytes of a picture of a run, by its path below {@link RUN}; undefined for every other path. */
export async function pictureOf(folder: string, path: string): Promise<Uint8Array | undefined> {
  const [, name, epoch] = path.match(/^img\/(real_images|fake_images-([1-9]\d{0,8}))\.png$/) ?? [];
  if (name === undefined) return undefined;
  const files = await filesOf(folder);
  return files && contentOf(epoch === undefined ? files.realImages : files.fakeImages(Number(epoch)));
}

/** The files of a run by their real paths; undefined when the folder does not exist. */
async function filesOf(folder: string) {
  const real = await realpath(folder).catch(() => undefined);
  return real === undefined ? undefined : runFiles(real);
}

/** A file by its inode, which a later file may have as well, and what stands before byte `end`. */
async function identityOf(handle: FileHandle, inode: number, end: number): Promise<string> {
  const before = Buffer.alloc(Math.min(end, IDENTITY));
  await handle.read(before, 0, before.length, end - before.length);
  return `${inode}-${createHash("sha256").update(before).digest("hex")}`;
}

async function metricsOf(handle: FileHandle, file: string, asked: number): Promise<MetricsPart> {
  const { ino, size, mtimeMs } = await handle.stat();
  const from = asked <= size && file === (await identityOf(handle, ino, asked)) ? asked : 0;
  const buffer = Buffer.alloc(Math.min(PART, size - from));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
  // The last line may be incomplete. A line longer than a part does not come from a run and is skipped.
  const end = buffer.subarray(0, bytesRead).lastIndexOf("\n") + 1 || (bytesRead === PART ? PART : 0);
  const next = from + end;
  return {
    file: await identityOf(handle, ino, next),
    from,
    next,
    text: buffer.toString("utf8", 0, end),
    more: end > 0 && next < size,
    idle: Math.max(0, Math.round((Date.now() - mtimeMs) / 1000)),
  };
}

async function scoresOf(path: string, known: number | undefined): Promise<News["scores"]> {
  const changed = await changeOf(path);
  if (changed === undefined || changed === known) return undefined;
  const text = (await contentOf(path))?.toString("utf8") ?? "";
  const lines = text.split("\n").flatMap((line) => scoresLine.safeParse(jsonIn(line)).data ?? []);
  return { changed, lines: lines.slice(-SCORES) };
}

async function divergenceOf(path: string): Promise<News["diverged"]> {
  const { diverged } = provenanceIn(jsonIn((await contentOf(path))?.toString("utf8")))?.sessions.at(-1) ?? {};
  return diverged && { epoch: diverged.epoch, step: diverged.step };
}

function contentOf(path: string): Promise<Buffer | undefined> {
  return withFile(path, (handle) => handle.readFile());
}

async function changeOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? Math.round(found.mtimeMs) : undefined;
}

/** Read a file of a run, unless it is missing, not a regular file, or a link to another folder. */
async function withFile<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
  let handle: FileHandle | undefined;
  try {
    if ((await realpath(path)) !== path) return undefined;
    // Do not block when the file is a pipe without a writer.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    return (await handle.stat()).isFile() ? await read(handle) : undefined;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
