/** The name and version of this package, as package.json has them: what the models it writes call their producer. */
export const producer = { name: "gan-onnx", version: "0.1.0" };
