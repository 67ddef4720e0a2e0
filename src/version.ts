/** The name and version of this package, as package.json has them: what the models it writes call their producer. */
export const producer = { name: "gan-onnx", version: "0.1.0" };

/** What the files that it writes say they are, in their metadata. A reader refuses any other format. */
export const formats = {
  checkpoint: "gan-onnx checkpoint 1",
  manifest: "gan-onnx manifest 1",
  generator: "gan-onnx generator 1",
  classifier: "gan-onnx classifier 1",
} as const;
