/** The name and version of this package, as in package.json. Models name it as their producer. */
export const producer = { name: "gan-onnx", version: "0.1.0" };

/**
 * The formats of the files that this package writes, as stored in their metadata. A reader refuses any other format.
 */
export const formats = {
  checkpoint: "gan-onnx checkpoint 1",
  manifest: "gan-onnx manifest 1",
  trajectory: "gan-onnx trajectory 1",
  generator: "gan-onnx generator 1",
  classifier: "gan-onnx classifier 1",
} as const;
