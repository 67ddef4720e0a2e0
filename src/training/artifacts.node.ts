import { sha256 } from "../files.node.js";
import type { Design } from "../recipes/index.js";
import type { GivenFile } from "./file-design.js";
import { manifestOf } from "./manifest.js";
import { buildTraining, type TrainingModel } from "./training-model.js";

/** The training graph as a file, and the manifest that describes its inputs for a runner. */
export interface TrainingArtifacts extends TrainingModel {
  readonly manifest: string;
}

/**
 * Make `train.onnx` and `manifest.json` for a design.
 *
 * @param configuration the resolved configuration, copied into the manifest.
 * @param files the files that replace networks, for the manifest.
 */
export function buildArtifacts(
  design: Design,
  configuration: Readonly<Record<string, unknown>>,
  files?: ReadonlyMap<string, GivenFile>,
): TrainingArtifacts {
  const { graph, train } = buildTraining(design);
  const file = { bytes: train.length, sha256: sha256(train) };
  return { graph, train, manifest: manifestOf(design, configuration, graph, file, files) };
}
