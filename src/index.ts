/** The public API: the graph builder, the networks, and what trains, exports and compares them. */
export { GanOnnxError } from "./error.js";
export { followTrajectory, tolerances } from "./evaluation/trajectory.js";
export { exportGenerator } from "./export/generator.js";
export { sampleSheet } from "./export/sample.js";
export * from "./graph/index.js";
export { encodeModel, IR_VERSION, type ModelSummary, OPSET, summarizeModel } from "./graph/onnx.js";
export * from "./networks/index.js";
export { buildArtifacts } from "./training/artifacts.js";
export { loadDataset } from "./training/data/index.js";
export { adam } from "./training/optimizers.js";
export { traceForOrt } from "./training/ort-training/artifacts.js";
export { readOrtFiles, writeOrtArtifacts } from "./training/ort-training/files.js";
export { OrtNetwork } from "./training/ort-training/runtime.js";
export { type Design, designOf, recipes } from "./training/recipes/index.js";
export { type Configuration, prepareResume, prepareRun, workplaceOf } from "./training/run.js";
export { opensOn, Session } from "./training/session.js";
export { buildStepGraph } from "./training/step-graph.js";
export { train } from "./training/trainer.js";
