export { encodeModel } from "./encode.js";
export { IR_VERSION, OPSET } from "./proto.js";
export { listNodes, type ModelNode, type ModelSummary, summarizeModel } from "./summary.js";
