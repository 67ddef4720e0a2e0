import { seal, unsealed } from "../checksum.js";
import { encodeModel } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import { producer } from "../version.js";
import { buildStepGraph, type StepGraph } from "./step-graph.js";

/** `train.onnx`, and its graph. */
export interface TrainingModel {
  readonly graph: StepGraph;
  readonly train: Uint8Array<ArrayBuffer>;
}

/** Make the ONNX file for the training of a design. It is the same on the command line and in a browser. */
export function buildTraining(design: Design): TrainingModel {
  const { recipe } = design;
  const graph = buildStepGraph(design, {
    name: `train-${recipe}`,
    doc:
      `Training of the recipe ${recipe}: a Loop over the steps that the batch inputs hold. ` +
      "Output next/X replaces input X for the next run; the other outputs are metrics.",
    producer,
    metadata: { recipe, ...unsealed },
  });
  return { graph, train: seal(encodeModel(graph.model)) };
}
