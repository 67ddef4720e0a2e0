/** How the weights of a file are stored. They are float32 again before any operator uses them. */
export const precisions = ["fp32", "fp16", "int8"] as const;
export type Precision = (typeof precisions)[number];

/** How a model is stored. */
export interface FileOptions {
  readonly precision?: Precision;
  /** Fixes the batch size. */
  readonly batch?: number;
  /** The version of ONNX's operator set that the file declares. */
  readonly opset?: number;
}
