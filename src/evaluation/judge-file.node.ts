import { fileURLToPath } from "node:url";
import { readBytes, sha256 } from "../files.node.js";
import type { OpenModel } from "../runtime/engine.js";
import { Judge } from "./judge.js";

/** The judge in this package: a classifier of MNIST, see models/README.md. */
export const packagedJudge = fileURLToPath(new URL("../../models/judge.onnx", import.meta.url));

/** A judge and its identity: scores by different judges cannot be compared. */
export interface NamedJudge {
  readonly judge: Judge;
  /** Its file, its training data, and the beginning of the file's SHA-256. */
  readonly name: string;
  readonly data: string;
  readonly hash: string;
}

/**
 * Load a judge.
 *
 * @param file a classifier that `export` wrote. The default is the packaged judge.
 * @throws {@link GanOnnxError} when the file is not a classifier.
 */
export async function openJudge(file: string | undefined, open: OpenModel): Promise<NamedJudge> {
  const path = file ?? packagedJudge;
  const bytes = await readBytes(path);
  const judge = await Judge.open(bytes, path, open);
  const { data = "unknown data" } = judge.file.metadata;
  return { judge, name: file ?? "models/judge.onnx", data, hash: sha256(bytes).slice(0, 12) };
}
