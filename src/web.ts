/**
 * The part that runs in a browser: read generators, draw samples, and train in a worker. It needs no Node. The page
 * provides sessions with its own onnxruntime-web.
 *
 * @module gan-onnx/web
 */
export { type Dataset, mnistForm } from "./data/dataset.js";
export { drawDigits } from "./data/drawn.js";
export { type IdxFile, idxDataset } from "./data/idx.js";
export { type Picture, paintSheet, type SheetOptions, type SheetShape } from "./data/sheet.js";
export { GanOnnxError } from "./error.js";
export { type Generator, type GeneratorFile, readGenerator } from "./export/description.js";
export { exportNetwork } from "./export/network.js";
export {
  type Design,
  designOf,
  type ImageShape,
  imageShapeOf,
  type RecipeName,
  recipeNames,
  recipes,
} from "./recipes/index.js";
export { drawLatents } from "./recipes/latents.js";
export { type Engine, type LoadedModel, type OpenModel, StatefulSession } from "./runtime/engine.js";
export { type Random, randomStream } from "./tensors/random.js";
export { decodeSafetensors } from "./tensors/safetensors.js";
export type { Tensor, Tensors } from "./tensors/tensor.js";
export { type Checkpoint, checkState, decodeCheckpoint, encodeCheckpoint } from "./training/checkpoint.js";
export { initialState } from "./training/state.js";
export { train } from "./training/trainer.js";
export type { Keeper, MetricsLine, Progress, Training, Workplace } from "./training/training.js";
export { buildTraining, type TrainingModel } from "./training/training-model.js";
