export { decodeModel } from "./decode.js";
export { type Differentiated, type DifferentiateOptions, differentiate } from "./differentiate.js";
export { encodeModel } from "./encode.js";
export type { FileModel } from "./message.js";
export { hasExternalData, patchModel } from "./patch.js";
export { type ReadModel, type ReadOptions, readModel, traceModel } from "./read.js";
export { listNodes, type ModelNode, type ModelSummary, summarizeModel } from "./summary.js";
export { IR_VERSION, OPSET } from "./versions.js";
