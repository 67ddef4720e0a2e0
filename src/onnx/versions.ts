/** The operator set of every model that is written: the newest one that the checker of ONNX 1.12 (Debian) supports. */
export const OPSET = 17;
/** The matching version of the file format: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
export const IR_VERSION = 8;
