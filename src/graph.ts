/**
 * The graph builder alone: values, operators, gradients, and reading and writing models. It needs no Node.
 *
 * @module gan-onnx/graph
 */
export { GanOnnxError } from "./error.js";
export * from "./graph/index.js";
export {
  type Differentiated,
  type DifferentiateOptions,
  differentiate,
  encodeModel,
  IR_VERSION,
  type ModelSummary,
  OPSET,
  type ReadModel,
  type ReadOptions,
  readModel,
  summarizeModel,
} from "./onnx/index.js";
