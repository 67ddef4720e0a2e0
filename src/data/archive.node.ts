import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { DataOptions } from "./dataset.js";
import { isLeftover } from "./folder.node.js";
import { broken, unpackedOnce } from "./unpacked.node.js";

/** Whether a file has the name of a supported archive. */
export const isArchive = (path: string) => /\.(zip|tar|tar\.gz|tgz)$/i.test(path);

/**
 * Returns the place of an archive's file or folder, by its path and size; undefined for files of the system. Throws a
 * {@link GanOnnxError} when the place is outside the folder, or the archive is too large.
 */
function placesIn(folder: string, archive: string, count: (bytes: number) => void) {
  return (path: string, size: number): string | undefined => {
    const target = resolve(folder, path);
    if (target !== folder && !target.startsWith(folder + sep)) {
      throw broken(archive, `holds ${path}, which lies outside of it`, "use an archive that you trust");
    }
    count(size);
    return isLeftover(relative(folder, target)) ? undefined : target;
  };
}

/**
 * Unpack a .zip, .tar, .tar.gz or .tgz file into a folder of the cache, unless it was unpacked before.
 *
 * @param wanted whether a file is read later, by name. Other files are created empty, so that messages can name them.
 * @throws {@link GanOnnxError} when it is damaged or too large, or contains a path outside of it.
 */
export async function unpacked(
  archive: string,
  wanted: (name: string) => boolean,
  options: Pick<DataOptions, "report" | "signal">,
): Promise<string> {
  const unpack = /\.zip$/i.test(archive) ? unzip : untar;
  return unpackedOnce(
    [archive],
    (folder, count) =>
      unpack(archive, { folder, placeOf: placesIn(folder, archive, count), wanted, ...options }),
    options,
  );
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
