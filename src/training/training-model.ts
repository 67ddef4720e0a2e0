import { seal, unsealed } from "../checksum.js";
import { encodeModel } from "../onnx/index.js";
import type { Design } from "../recipes/index.js";
import { producer } from "../version.js";
import { buildStepGraph, type StepGraph } from "./step-graph.js";

/** `train.onnx`, and the graph that it holds. */
export interface TrainingModel {
  readonly graph: StepGraph;
  readonly train: Uint8Array<ArrayBuffer>;
}

/** The training of a design as an ONNX file, the same wherever it is written: on the command line or in a browser. */
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
