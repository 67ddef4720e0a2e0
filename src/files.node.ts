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
 * Write a file whole or not at all: into a temporary file in the same folder, fsync, then rename. Missing folders
 * are made, and links followed. Throws {@link GanOnnxError} naming the path when the folder cannot be made or written,
 * or something is there that is no plain file.
 */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  const target = await realpath(path).catch(() => destination(path));
  const folder = dirname(target);
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  try {
    const there = await stat(target).catch(() => undefined);
    if (there && !there.isFile()) throw new Error("it is not a regular file");
    await makeFolder(folder);
    const file = await open(temporary, "wx");
    try {
      if (there) await file.chmod(there.mode);
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
 * Make a folder, and those that it lies in. (Node's own `recursive` never ends below folders such as /proc, where
 * nothing can be made: https://github.com/nodejs/node/issues/31481.)
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
 * Make sure that a folder can be written, or made where it is not there yet; nothing is made.
 *
 * @throws GanOnnxError naming the folder.
 */
export async function requireWritable(folder: string): Promise<void> {
  let there = resolve(folder);
  while (!(await stat(there).catch(() => undefined)) && dirname(there) !== there) there = dirname(there);
  try {
    await access(there, constants.W_OK);
    if (!(await stat(there)).isDirectory()) throw new Error("a part of the path is not a folder");
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** Where a path leads to which nothing is yet: elsewhere, if it is a link. */
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

/** The bytes of a file that the user named. Throws {@link GanOnnxError} naming the path when it cannot be read. */
export async function readBytes(path: string, kind?: ErrorParts["kind"]): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    const whole = byteOffset === 0 && byteLength === buffer.byteLength;
    return whole
      ? new Uint8Array(buffer as ArrayBuffer)
      : new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
  } catch (cause) {
    throw new GanOnnxError({
      what: `cannot be read (${messageOf(cause)})`,
      where: path,
      fix: "name a file that exists and can be read",
      kind,
      cause,
    });
  }
}

/**
 * A JSON file of settings, unchecked: pass the result through a schema. Throws {@link GanOnnxError} (usage) naming file
 * and position.
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
