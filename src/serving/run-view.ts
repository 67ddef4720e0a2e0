import { constants, existsSync } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { jsonIn } from "../json.js";
import { isClaimed } from "../runs/claim.js";
import { runFiles } from "../runs/run-folder.js";

/** Where a page asks what is new, and below which it finds the pictures. */
export const NEWS = "/run.json";
export const RUN = "/run/";

/** The settings of a run that are shown. */
const shownSettings = z.object({
  recipe: z.string(),
  // A folder of data may be named in full; its last part is enough.
  data: z.string().transform((path) => path.split(/[/\\]/).findLast((part) => part !== "") ?? ""),
  ep: z.string(),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  seed: z.int(),
  learningRate: z.number().optional(),
  loss: z.string().optional(),
});

/** What a page is told of a run. */
export interface News {
  /** The name of its folder. */
  readonly name: string;
  /** Whether the folder is there. */
  readonly there: boolean;
  readonly settings?: z.infer<typeof shownSettings>;
  /** The sheets by epoch, ascending, each with the time of its last change, which tells a new one from an old one. */
  readonly sheets: readonly (readonly [epoch: number, changed: number])[];
  /** The time of the last change of the real images' sheet. */
  readonly real?: number;
  readonly metrics?: MetricsPart;
  /** Whether a process trains there now. */
  readonly claimed: boolean;
}

/** Lines of `metrics.jsonl`. */
export interface MetricsPart {
  /** Which file this is: a resumed run has another one. */
  readonly file: string;
  /** The byte at which the lines begin: where they were asked from, or 0 if the file is not the one that was meant. */
  readonly from: number;
  /** The byte to go on from. */
  readonly next: number;
  readonly text: string;
  /** There is more to have now. */
  readonly more: boolean;
  /** Seconds since the file was written. */
  readonly idle: number;
}

/** The most of the metrics that one answer holds, in bytes. */
const PART = 2 ** 20;

/**
 * Check that a folder is a run's, or empty or not there yet, as it is when a run is about to begin.
 *
 * @returns whether it is there.
 *
 * @throws GanOnnxError (usage) naming the folder.
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

/** What there is of a run, and its metrics from byte `from` of `file` on. A run that is not there is told, not thrown. */
export async function newsOf(folder: string, { file, from }: { file: string; from: number }): Promise<News> {
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
  return {
    name,
    there: true,
    settings,
    sheets: sheets.flatMap(([epoch, changed]) => (changed === undefined ? [] : [[epoch, changed] as const])),
    real: await changeOf(files.realImages),
    metrics: await withFile(files.metrics, (handle) => metricsOf(handle, file, from)),
    claimed: await isClaimed(dirname(files.config)),
  };
}

/** The bytes of a picture of a run, by its path below {@link RUN}; undefined for every other path. */
export async function pictureOf(folder: string, path: string): Promise<Uint8Array | undefined> {
  const [, name, epoch] = path.match(/^img\/(real_images|fake_images-([1-9]\d{0,8}))\.png$/) ?? [];
  if (name === undefined) return undefined;
  const files = await filesOf(folder);
  return files && contentOf(epoch === undefined ? files.realImages : files.fakeImages(Number(epoch)));
}

/** The files of a run by their real paths; undefined when its folder is gone. */
async function filesOf(folder: string) {
  const real = await realpath(folder).catch(() => undefined);
  return real === undefined ? undefined : runFiles(real);
}

async function metricsOf(handle: FileHandle, file: string, asked: number): Promise<MetricsPart> {
  const { ino, size, mtimeMs } = await handle.stat();
  const from = file === String(ino) && asked <= size ? asked : 0;
  const buffer = Buffer.alloc(Math.min(PART, size - from));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
  // The last line may be half written. One that fills a part is none of a run's, and is passed over.
  const end = buffer.subarray(0, bytesRead).lastIndexOf("\n") + 1 || (bytesRead === PART ? PART : 0);
  return {
    file: String(ino),
    from,
    next: from + end,
    text: buffer.toString("utf8", 0, end),
    more: end > 0 && from + end < size,
    idle: Math.max(0, Math.round((Date.now() - mtimeMs) / 1000)),
  };
}

function contentOf(path: string): Promise<Buffer | undefined> {
  return withFile(path, (handle) => handle.readFile());
}

async function changeOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() ? Math.round(found.mtimeMs) : undefined;
}

/** Read a file of a run, unless it is not there, not a plain file, or lies elsewhere behind a link. */
async function withFile<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
  let handle: FileHandle | undefined;
  try {
    if ((await realpath(path)) !== path) return undefined;
    // A pipe that nobody writes would keep a blocking open waiting.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    return (await handle.stat()).isFile() ? await read(handle) : undefined;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
