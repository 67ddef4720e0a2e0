import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GanOnnxError, messageOf } from "../error.js";
import { makeFolder, sha256, unwritable } from "../files.node.js";
import { cacheFolder } from "./cache.node.js";
import type { DataOptions } from "./dataset.js";
import { isLeftover } from "./folder.node.js";

/** Whether a file has the name of a supported archive. */
export const isArchive = (path: string) => /\.(zip|tar|tar\.gz|tgz)$/i.test(path);

/** The maximum size after unpacking. A megabyte can unpack to a gigabyte of zeros; no data set of images needs more. */
const MOST_TIMES = 200;
const [LEAST_LIMIT, MOST_BYTES, MOST_FILES] = [64e6, 16e9, 2_000_000];
/** The number of unpacked archives in the cache. */
const KEPT = 3;
/** Milliseconds after which a folder that is still being unpacked belongs to a process that has ended. */
const ABANDONED = 24 * 60 * 60 * 1000;

/**
 * Returns the place of an archive's file or folder, by its path and size; undefined for files of the system. Throws a
 * {@link GanOnnxError} when the place is outside the folder, or the archive is too large.
 */
function placesIn(folder: string, archive: string, limit: number) {
  let [bytes, files] = [0, 0];
  return (path: string, size: number): string | undefined => {
    const target = resolve(folder, path);
    if (target !== folder && !target.startsWith(folder + sep)) {
      throw broken(archive, `holds ${path}, which lies outside of it`, "use an archive that you trust");
    }
    [bytes, files] = [bytes + size, files + 1];
    if (bytes > limit || files > MOST_FILES) {
      throw broken(
        archive,
        `unpacks to more than ${(limit / 1e6).toFixed(0)} MB, or more than ${MOST_FILES} files`,
        "unpack it yourself if that is right, and name the folder",
      );
    }
    return isLeftover(relative(folder, target)) ? undefined : target;
  };
}

const broken = (where: string, what: string, fix: string, cause?: unknown) =>
  new GanOnnxError({ what, where, fix, cause });

/**
 * Unpack a .zip, .tar, .tar.gz or .tgz file into a folder of the cache, unless it was unpacked before.
 *
 * @param wanted whether a file is read later, by name. Other files are created empty, so that messages can name them.
 * @throws {@link GanOnnxError} when it is damaged or too large, or contains a path outside of it.
 */
export async function unpacked(
  archive: string,
  wanted: (name: string) => boolean,
  { report, signal }: Pick<DataOptions, "report" | "signal">,
): Promise<string> {
  const { size, mtimeMs } = await stat(archive);
  const root = join(cacheFolder(), "archives");
  const key = sha256(new TextEncoder().encode(JSON.stringify([1, resolve(archive), size, mtimeMs])));
  const folder = join(root, key);
  if (await stat(folder).catch(() => undefined)) {
    await utimes(folder, new Date(), new Date()).catch(() => {});
    return folder;
  }
  await makeFolder(root).catch((cause: unknown) => {
    throw unwritable(root, cause);
  });
  const begun = await mkdtemp(`${root}${sep}.`);
  report?.(`unpacking ${basename(archive)}`);
  try {
    const limit = Math.min(MOST_BYTES, Math.max(LEAST_LIMIT, MOST_TIMES * size));
    const unpack = /\.zip$/i.test(archive) ? unzip : untar;
    await unpack(archive, {
      folder: begun,
      placeOf: placesIn(begun, archive, limit),
      wanted,
      report,
      signal,
    });
    await rename(begun, folder);
  } catch (cause) {
    // After an error the last files of a tar archive may still be written. `dropOldest` removes what stays.
    await rm(begun, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
    signal?.throwIfAborted();
    if (cause instanceof GanOnnxError) throw cause;
    throw broken(archive, `cannot be unpacked (${messageOf(cause)})`, "replace it by a whole copy", cause);
  }
  await dropOldest(root);
  return folder;
}

interface Unpack extends Pick<DataOptions, "report" | "signal"> {
  readonly folder: string;
  readonly placeOf: (path: string, size: number) => string | undefined;
  readonly wanted: (name: string) => boolean;
}

async function unzip(archive: string, { placeOf, wanted, report, signal }: Unpack): Promise<void> {
  const { openPromise } = await import("yauzl");
  const zip = await openPromise(archive);
  let done = 0;
  for await (const entry of zip.eachEntry()) {
    signal?.throwIfAborted();
    report?.(`unpacking ${basename(archive)}`, ++done, zip.entryCount);
    const { fileName, uncompressedSize } = entry;
    const isFolder = fileName.endsWith("/");
    const isWanted = wanted(basename(fileName));
    const target = placeOf(fileName, isWanted ? uncompressedSize : 0);
    if (target === undefined) continue;
    if (isFolder) await mkdir(target, { recursive: true });
    else await keep(target, isWanted ? () => zip.openReadStreamPromise(entry) : undefined);
  }
}

async function untar(archive: string, { folder, placeOf, wanted, signal }: Unpack): Promise<void> {
  const { extract } = await import("tar");
  const unread: string[] = [];
  let refused: unknown;
  /** The files that are read later, and the folders. Links are omitted. */
  const filter = (path: string, entry: object): boolean => {
    if (refused !== undefined || signal?.aborted) return false;
    const { type, size } = entry as { type: string; size: number };
    const [isFile, isFolder] = [/File$/.test(type), type === "Directory"];
    const isWanted = isFile && wanted(basename(path));
    try {
      const target = isFile || isFolder ? placeOf(path, isWanted ? size : 0) : undefined;
      if (target !== undefined && isFile && !isWanted) unread.push(target);
      return target !== undefined && (isFolder || isWanted);
    } catch (error) {
      refused = error;
      return false;
    }
  };
  await extract({ file: archive, cwd: folder, strict: true, noChmod: true, filter });
  if (refused !== undefined) throw refused;
  signal?.throwIfAborted();
  for (const target of unread) await keep(target, undefined);
}

/** Write a file of an archive; without content it is empty. */
async function keep(target: string, content: (() => Promise<Readable>) | undefined): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  // Open a stream only where its errors are handled.
  if (content) await pipeline(await content(), createWriteStream(target));
  else await writeFile(target, "");
}

/** Remove all but the newest archives, and what failed or killed processes have left. */
async function dropOldest(root: string): Promise<void> {
  const folders = await Promise.all(
    (await readdir(root)).map(async (name) => ({ name, changed: (await stat(join(root, name))).mtimeMs })),
  );
  const [begun, whole] = [true, false].map((is) => folders.filter(({ name }) => name.startsWith(".") === is));
  const oldest = whole.sort((a, b) => b.changed - a.changed).slice(KEPT);
  const abandoned = begun.filter(({ changed }) => Date.now() - changed > ABANDONED);
  for (const { name } of [...oldest, ...abandoned])
    await rm(join(root, name), { recursive: true, force: true });
}
