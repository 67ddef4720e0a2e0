import onnxProto from "onnx-proto";

// onnx-proto is CommonJS, so its namespace is a property of the default import.
export const { onnx } = onnxProto;
