import { statSync } from "node:fs";
import { readBytes } from "../files.node.js";
import { readOrtCheckpoints } from "../ort-training/files.js";
import type { Design } from "../recipes/index.js";
import { initialState } from "../training/state.js";
import { decodeWeights, type StartingWeights } from "../training/weights.js";

/**
 * The state before the first step: initialized from a seed, or read from `init`: a file with weights, or a folder with
 * ORT checkpoints.
 *
 * @throws {@link GanOnnxError} when the file or folder does not belong to this design.
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
