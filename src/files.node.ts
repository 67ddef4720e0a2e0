import { createHash, randomUUID } from "node:crypto";
import {
  access,
  constants,
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type ErrorParts, GanOnnxError, messageOf } from "./error.js";

/**
 * Write a file completely or not at all: write a temporary file in the same folder, fsync, then rename. Missing folders
 * are created, and symbolic links are followed.
 *
 * @throws {@link GanOnnxError} when the folder cannot be created or written, or the path exists and is not a regular
 * file.
 */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const target = await realpath(path).catch(() => destination(path));
  const folder = dirname(target);
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  try {
    const existing = await stat(target).catch(() => undefined);
    if (existing && !existing.isFile()) throw new Error("it is not a regular file");
    await makeFolder(folder);
    const file = await open(temporary, "wx");
    try {
      if (existing) await file.chmod(existing.mode);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw unwritable(path, cause);
  }
}

/**
 * Create a folder and its missing parents. (Node's own `recursive` never returns below folders such as /proc, where
 * nothing can be created: https://github.com/nodejs/node/issues/31481.)
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(folder)).isDirectory()) return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw cause;
    await makeFolder(dirname(folder));
    await mkdir(folder).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== "EEXIST") throw again;
    });
  }
}

/**
 * Check that a folder can be written, or created if it does not exist. Nothing is created.
 *
 * @throws {@link GanOnnxError} when it cannot.
 */
export async function requireWritable(folder: string): Promise<void> {
  let existing = resolve(folder);
  while (!(await stat(existing).catch(() => undefined)) && dirname(existing) !== existing)
    existing = dirname(existing);
  try {
    await access(existing, constants.W_OK);
    if (!(await stat(existing)).isDirectory()) throw new Error("a part of the path is not a folder");
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** The target of a path that does not exist yet: if the path is a symbolic link, the path that it points to. */
async function destination(path: string): Promise<string> {
  return resolve(dirname(path), await readlink(path).catch(() => basename(path)));
}

/** The error of a file that could not be written, with the reason. */
export function unwritable(path: string, cause: unknown): GanOnnxError {
  return new GanOnnxError({
    what: `cannot be written (${messageOf(cause)})`,
    where: path,
    fix: "choose a folder that exists and can be written",
    cause,
  });
}

/**
 * Read a file that the user named.
 *
 * @throws {@link GanOnnxError} when it cannot be read.
 */
export async function readBytes(path: string, kind?: ErrorParts["kind"]): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    const whole = byteOffset === 0 && byteLength === buffer.byteLength;
    return whole
      ? new Uint8Array(buffer as ArrayBuffer)
      : new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
  } catch (cause) {
    throw unreadable(path, cause, kind);
  }
}

/**
 * Check that files or folders that the user named can be read, before something that takes long.
 *
 * @throws {@link GanOnnxError} when one cannot be read.
 */
export async function requireReadable(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await access(path, constants.R_OK).catch((cause) => {
      throw unreadable(path, cause);
    });
  }
}

/** The error of a file that could not be read, with the reason. A name of no file is wrong usage. */
export function unreadable(path: string, cause: unknown, kind?: ErrorParts["kind"]): GanOnnxError {
  const isThere = (cause as NodeJS.ErrnoException).code !== "ENOENT";
  return new GanOnnxError({
    what: `cannot be read (${messageOf(cause)})`,
    where: path,
    fix: "name a file that exists and can be read",
    kind: kind ?? (isThere ? "failure" : "usage"),
    cause,
  });
}

/**
 * Read a JSON file of settings. The result is not checked: pass it through a schema.
 *
 * @throws {@link GanOnnxError} (usage) when the file cannot be read or is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path, "usage"));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GanOnnxError({
      what: `is not JSON (${messageOf(cause)})`,
      where: path,
      fix: "correct the file",
      kind: "usage",
      cause,
    });
  }
}

/** SHA-256 of some bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
