import { sha256 } from "../files.node.js";
import type { Design } from "../recipes/index.js";
import { manifestOf } from "./manifest.js";
import { buildTraining, type TrainingModel } from "./training-model.js";

/** The training graph as a file, and the manifest that tells a runner how to feed it. */
export interface TrainingArtifacts extends TrainingModel {
  readonly manifest: string;
}

/**
 * Write the training of a design down as `train.onnx` and `manifest.json`.
 *
 * @param configuration the resolved configuration, kept in the manifest as it is.
 */
export function buildArtifacts(
  design: Design,
  configuration: Readonly<Record<string, unknown>>,
): TrainingArtifacts {
  const { graph, train } = buildTraining(design);
  const file = { bytes: train.length, sha256: sha256(train) };
  return { graph, train, manifest: manifestOf(design, configuration, graph, file) };
}
