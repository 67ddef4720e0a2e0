export { type Differentiated, type DifferentiateOptions, differentiate } from "./differentiate.js";
export { encodeModel } from "./encode.js";
export { IR_VERSION, OPSET } from "./proto.js";
export { type ReadModel, type ReadOptions, readModel } from "./read.js";
export { listNodes, type ModelNode, type ModelSummary, summarizeModel } from "./summary.js";
