import { mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import { GanOnnxError, messageOf } from "../error.js";
import { makeFolder, sha256, unwritable } from "../files.node.js";
import { cacheFolder } from "./cache.node.js";
import type { DataOptions } from "./dataset.js";

/** The maximum size after unpacking. A megabyte can unpack to a gigabyte of zeros; no data set of images needs more. */
const MOST_TIMES = 200;
const [LEAST_LIMIT, MOST_BYTES, MOST_FILES] = [64e6, 16e9, 2_000_000];
/** The number of unpacked archives in the cache. */
const KEPT = 3;
/** Milliseconds after which a folder that is still being unpacked belongs to a process that has ended. */
const ABANDONED = 24 * 60 * 60 * 1000;

export const broken = (where: string, what: string, fix: string, cause?: unknown) =>
  new GanOnnxError({ what, where, fix, cause });

/**
 * Returns a function that counts each unpacked file.
 *
 * @param size the size of what is unpacked.
 * @throws {@link GanOnnxError} from that function, when there are too many files or bytes.
 */
function counterFor(archive: string, size: number): (bytes: number) => void {
  const limit = Math.min(MOST_BYTES, Math.max(LEAST_LIMIT, MOST_TIMES * size));
  let [bytes, files] = [0, 0];
  return (more) => {
    [bytes, files] = [bytes + more, files + 1];
    if (bytes > limit || files > MOST_FILES) {
      throw broken(
        archive,
        `unpacks to more than ${(limit / 1e6).toFixed(0)} MB, or more than ${MOST_FILES} files`,
        "unpack it yourself if that is right, and name the folder",
      );
    }
  };
}

/**
 * Unpack files into a folder of the cache, unless they were unpacked before.
 *
 * @param archives the files. Messages name the first.
 * @param unpack writes into an empty folder, and counts what it writes.
 * @throws {@link GanOnnxError} when one is damaged or too large.
 */
export async function unpackedOnce(
  archives: readonly string[],
  unpack: (folder: string, count: (bytes: number) => void) => Promise<void>,
  { report, signal }: Pick<DataOptions, "report" | "signal">,
): Promise<string> {
  const found = await Promise.all(
    archives.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return [resolve(path), size, mtimeMs] as const;
    }),
  );
  const root = join(cacheFolder(), "archives");
  const key = sha256(new TextEncoder().encode(JSON.stringify([1, ...found.flat()])));
  const folder = join(root, key);
  if (await stat(folder).catch(() => undefined)) {
    await utimes(folder, new Date(), new Date()).catch(() => {});
    return folder;
  }
  await makeFolder(root).catch((cause: unknown) => {
    throw unwritable(root, cause);
  });
  const begun = await mkdtemp(`${root}${sep}.`);
  const [archive] = archives;
  report?.(`unpacking ${basename(archive)}`);
  try {
    const size = found.reduce((sum, [, bytes]) => sum + bytes, 0);
    await unpack(begun, counterFor(archive, size));
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
