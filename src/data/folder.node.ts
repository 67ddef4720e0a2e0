import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { GanOnnxError, messageOf } from "../error.js";

/** A file in a folder or its sub-folders. */
export interface FoundFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly name: string;
  /** The extension in lower case, with the dot; `""` if there is none. */
  readonly extension: string;
}

/** A file with the data that show whether it has changed. */
export interface DatedFile extends FoundFile {
  readonly bytes: number;
  /** When its content and when its metadata last changed, in milliseconds since 1970. */
  readonly times: readonly [modified: number, changed: number];
}

/** The content of a folder at any depth, sorted by path. */
export interface FolderContent {
  readonly folder: string;
  readonly files: readonly FoundFile[];
  /** Relative paths. */
  readonly folders: readonly string[];
}

/** Files that systems and programs create beside the user's files. Names that begin with a dot are ignored too. */
const leftovers = new Set([
  "__macosx",
  "@eadir",
  "__pycache__",
  "thumbs.db",
  "desktop.ini",
  "lost+found",
  "$recycle.bin",
  "system volume information",
]);

/** Whether a path belongs to a file that systems or programs create beside the user's files. */
export const isLeftover = (path: string) =>
  path.split(sep).some((part) => part.startsWith(".") || leftovers.has(part.toLowerCase()));

/**
 * List a folder and its sub-folders, in the order of paths by character code, independent of the machine's language.
 * Hidden files and folders, files of the system (`__MACOSX`, `@eaDir`) and links to folders are ignored.
 *
 * @throws {@link GanOnnxError} when the folder cannot be listed.
 */
export async function listFolder(folder: string): Promise<FolderContent> {
  // Use withFileTypes: without it Node 20 follows links to folders, also in cycles.
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw new GanOnnxError({
      what: `cannot be listed (${messageOf(cause)})`,
      where: folder,
      fix: "name a folder that can be read, with everything in it",
      cause,
    });
  });
  const pathOf = ({ parentPath, name }: Dirent) => relative(folder, join(parentPath, name));
  const found = entries
    .map((entry) => ({ path: pathOf(entry), name: entry.name, isFolder: entry.isDirectory() }))
    .filter(({ path }) => !isLeftover(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    folder,
    files: found
      .filter(({ isFolder }) => !isFolder)
      .map(({ path, name }) => ({ path, name, extension: extname(name).toLowerCase() })),
    folders: found.filter(({ isFolder }) => isFolder).map(({ path }) => path),
  };
}

/** The number of concurrent calls of `stat`. */
const AT_ONCE = 64;

/**
 * Size and times of each file. All are 0 if `stat` fails (e.g. a broken link); reading the file then gives the error.
 */
export async function dated(folder: string, files: readonly FoundFile[]): Promise<DatedFile[]> {
  const result: DatedFile[] = [];
  for (let first = 0; first < files.length; first += AT_ONCE) {
    const some = files.slice(first, first + AT_ONCE).map(async (file) => {
      const stats = await stat(join(folder, file.path)).catch(() => undefined);
      return { ...file, bytes: stats?.size ?? 0, times: [stats?.mtimeMs ?? 0, stats?.ctimeMs ?? 0] as const };
    });
    result.push(...(await Promise.all(some)));
  }
  return result;
}

/** The number of files of each kind, the most frequent first: `3 .npz, 12 .csv, 1 without extension`. */
export function kindsOf(files: readonly FoundFile[]): string {
  const counts = new Map<string, number>();
  for (const { extension } of files) counts.set(extension, (counts.get(extension) ?? 0) + 1);
  const kinds = [...counts]
    .sort(([a, aCount], [b, bCount]) => bCount - aCount || (a < b ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind || "without extension"}`);
  return firstFew(kinds, 6);
}

/** The first items of a list, and the number of the others. */
export function firstFew(items: readonly string[], count: number, separator = ", "): string {
  const more = items.length - count;
  const shown = items.slice(0, count).join(separator);
  return more > 0 ? `${shown} and ${more} more` : shown;
}
