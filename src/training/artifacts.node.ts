import { sha256 } from "../files.node.js";
import type { Design } from "../recipes/index.js";
import { type Carried, manifestOf } from "./manifest.js";
import { buildTraining, type TrainingModel } from "./training-model.js";

/** The training graph as a file, and the manifest that describes its inputs for a runner. */
export interface TrainingArtifacts extends TrainingModel {
  readonly manifest: string;
}

/**
 * Make `train.onnx` and `manifest.json` for a design.
 *
 * @param configuration the resolved configuration, copied into the manifest.
 * @param carried what the manifest contains besides.
 */
export function buildArtifacts(
  design: Design,
  configuration: Readonly<Record<string, unknown>>,
  carried?: Carried,
): TrainingArtifacts {
  const { graph, train } = buildTraining(design);
  const file = { bytes: train.length, sha256: sha256(train) };
  return { graph, train, manifest: manifestOf(design, configuration, graph, file, carried) };
}
