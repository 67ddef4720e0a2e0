import { createRequire } from "node:module";
import { traceForOrt } from "../../src/ort-training/artifacts.js";
import { filesOf } from "../../src/ort-training/files.js";
import { OrtNetwork } from "../../src/ort-training/runtime.js";
import type { Design } from "../../src/recipes/index.js";
import type { Tensors } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";

/** Why ORT's training runtime is not available; undefined when it is. */
export const ortMissing = (() => {
  try {
    createRequire(import.meta.url).resolve("onnxruntime-training");
    return undefined;
  } catch {
    return "onnxruntime-training is not installed (npm ci installs it)";
  }
})();

/** The artifacts of one network of a design, traced and as files. */
export function artifactsOf(design: Design, network: string, state: Tensors = initialState(design, 1)) {
  const artifacts = traceForOrt(design).find((one) => one.network === network);
  if (!artifacts) throw new Error(`no artifacts of ${network}`);
  return { artifacts, files: filesOf(design, artifacts, state) };
}

/** Use one network of a design in ORT's training runtime. */
export async function withOrt<T>(
  design: Design,
  network: string,
  state: Tensors,
  use: (ort: OrtNetwork) => Promise<T>,
): Promise<T> {
  const ort = await OrtNetwork.open(artifactsOf(design, network, state).files, network);
  try {
    return await use(ort);
  } finally {
    await ort.close();
  }
}

/** |a - b| of every element, ascending. NaN is last. */
export function distances(a: ArrayLike<unknown>, b: ArrayLike<unknown>): Float64Array {
  if (a.length !== b.length) throw new Error(`${a.length} numbers beside ${b.length}`);
  return Float64Array.from(a, (value, i) => Math.abs(Number(value) - Number(b[i]))).sort();
}

export function farthest(a: ArrayLike<unknown>, b: ArrayLike<unknown>): number {
  return distances(a, b).at(-1) ?? 0;
}
