import { statSync } from "node:fs";
import { readBytes } from "../files.node.js";
import { readOrtCheckpoints } from "../ort-training/files.js";
import type { Design } from "../recipes/index.js";
import { initialState } from "../training/state.js";
import { decodeWeights, type StartingWeights } from "../training/weights.js";

/**
 * The state before the first step: drawn from a seed, or read from `init`, weights in a file or ORT checkpoints in a
 * folder.
 *
 * @throws GanOnnxError naming the file or folder that is not of this design.
 */
export async function startingState(
  { init, seed }: { readonly init?: string; readonly seed: number },
  design: Design,
): Promise<StartingWeights> {
  if (init === undefined) return { state: initialState(design, seed) };
  const isFolder = statSync(init, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder) return { state: await readOrtCheckpoints(init, design) };
  return decodeWeights(await readBytes(init), init, design, seed);
}
