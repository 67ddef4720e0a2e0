import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { checkSeal } from "../checksum.js";
import { GanOnnxError, messageOf } from "../error.js";
import { readBytes, readJson, sha256 } from "../files.node.js";
import { summarizeModel } from "../onnx/index.js";
import { CHECKPOINT } from "../ort-training/artifacts.js";
import { decodeOrtCheckpoint } from "../ort-training/checkpoint.js";
import { decodeSafetensors } from "../tensors/safetensors.js";
import { checkMetrics } from "./run-folder.js";

/** The result of checking a file. */
export interface CheckedFile {
  readonly file: string;
  /** What is wrong, in one line that begins with the file's name; undefined if nothing is. */
  readonly fault?: string;
  /** What was compared. */
  readonly how?: string;
}

/** Checks a file and returns what was compared. Throws when something is wrong. */
type Check = (path: string) => Promise<string>;

const sealed = (has: boolean) => (has ? "checksum" : "structure; it has no checksum");

/** Kinds of files, by name. */
const checks: readonly (readonly [name: RegExp, check: Check])[] = [
  [
    /\.safetensors$/,
    async (path) => {
      const bytes = await readBytes(path);
      return sealed(checkSeal(bytes, decodeSafetensors(bytes, path).metadata, path));
    },
  ],
  [
    /\.onnx$/,
    async (path) => {
      const bytes = await readBytes(path);
      return sealed(checkSeal(bytes, summarized(bytes, path), path));
    },
  ],
  [
    new RegExp(`^${CHECKPOINT}$`),
    async (path) => {
      decodeOrtCheckpoint(await readBytes(path), path);
      return "checksum, if it has one";
    },
  ],
  [/^manifest\.json$/, checkManifest],
  [/^metrics\.jsonl$/, async (path) => `${await checkMetrics(path)} lines`],
  [/^(config|provenance)\.json$/, (path) => readJson(path).then(() => "JSON")],
];

function summarized(bytes: Uint8Array, where: string): Readonly<Record<string, string>> {
  try {
    return summarizeModel(bytes).metadata;
  } catch (cause) {
    const what = `is not an ONNX model (${messageOf(cause)})`;
    throw new GanOnnxError({ what, where, fix: "restore it from a copy, or write it again", cause });
  }
}

/** Compare files with the SHA-256 in the manifest beside them. */
async function checkManifest(path: string): Promise<string> {
  const manifest = await readJson(path);
  const files = (manifest as { files?: Record<string, { sha256?: string }> } | null)?.files ?? {};
  for (const [name, { sha256: expected }] of Object.entries(files)) {
    const file = join(dirname(path), basename(name));
    if (sha256(await readBytes(file)) === expected) continue;
    const what = `does not have the SHA-256 that ${path} holds`;
    throw new GanOnnxError({ what, where: file, fix: "write both again with `gan-onnx build-graphs`" });
  }
  return `SHA-256 of ${Object.keys(files).length} files`;
}

/**
 * Check a file, or all files of a known kind in a folder.
 *
 * @throws {@link GanOnnxError} (usage) when there is no file to check.
 */
export async function checkPath(path: string): Promise<CheckedFile[]> {
  const found = await stat(path).catch(() => undefined);
  const names = found?.isDirectory() ? await readdir(path, { recursive: true }) : [""];
  const files = names.map((name) => join(path, name)).sort();
  const results: CheckedFile[] = [];
  for (const file of found ? files : []) {
    const check = checks.find(([name]) => name.test(basename(file)))?.[1];
    if (check) results.push(await resultOf(file, check));
  }
  if (results.length > 0) return results;
  throw new GanOnnxError({
    what: found ? "holds nothing that can be checked" : "is not there",
    where: path,
    fix: "name a run, or a file that gan-onnx wrote",
    kind: "usage",
  });
}

async function resultOf(file: string, check: Check): Promise<CheckedFile> {
  try {
    return { file, how: await check(file) };
  } catch (error) {
    const message = messageOf(error);
    return { file, fault: message.includes(relative(".", file)) ? message : `${file}: ${message}` };
  }
}
