/**
 * The whole package, for Node: the graph builder, the networks, training, export and comparison.
 *
 * @module gan-onnx
 */
export { type Config, resolveConfig } from "./config.js";
export { type Dataset, loadDataset } from "./data/load.node.js";
export { followTrajectory, tolerances } from "./evaluation/trajectory.node.js";
export { exportNetwork } from "./export/network.js";
export { sampleSheet } from "./export/sample.node.js";
export * from "./graph.js";
export * from "./networks/index.js";
export { readModelFile } from "./onnx/file.node.js";
export { traceForOrt } from "./ort-training/artifacts.js";
export { readOrtFiles, writeOrtArtifacts } from "./ort-training/files.js";
export { OrtNetwork } from "./ort-training/runtime.js";
export { type Design, designOf, type ImageShape, recipes } from "./recipes/index.js";
export { adam } from "./recipes/optimizers/index.js";
export { readCheckpoint } from "./runs/checkpoints.js";
export { prepareResume, prepareRun, type Run, workplaceOf } from "./runs/run.js";
export type { Configuration } from "./runs/settings.js";
export { opensOn, Session } from "./runtime/session.node.js";
export { decodeSafetensors } from "./tensors/safetensors.js";
export type { Tensor, Tensors } from "./tensors/tensor.js";
export { buildArtifacts } from "./training/artifacts.node.js";
export type { Checkpoint } from "./training/checkpoint.js";
export { initialState } from "./training/state.js";
export { buildStepGraph, type StepGraph } from "./training/step-graph.js";
export { train } from "./training/trainer.js";
export type { Keeper, Progress, Training, Workplace } from "./training/training.js";
