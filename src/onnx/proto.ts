import onnxProto from "onnx-proto";
import type { DType } from "../graph/value.js";

// onnx-proto is CommonJS, so its namespace is a property of the default import.
export const { onnx } = onnxProto;

/** The operator set of every model written here: the newest one that ONNX 1.12's checker (Debian's) knows. */
export const OPSET = 17;
/** The file format version that belongs to it: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
export const IR_VERSION = 8;

const { DataType } = onnx.TensorProto;
export const dataTypes = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int64: DataType.INT64,
  int32: DataType.INT32,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
} satisfies Record<DType, number>;
