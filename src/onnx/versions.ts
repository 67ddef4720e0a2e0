/** The operator set of every model written here: the newest one that ONNX 1.12's checker (Debian's) knows. */
export const OPSET = 17;
/** The file format version that belongs to it: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
export const IR_VERSION = 8;
