import type { Tensor } from "../tensors/tensor.js";
import type { FileModel, FileNode } from "./message.js";

/** The initializers that are running statistics: inputs 3 and 4 of batch normalization. */
export function statisticsOf({ graph, functions }: FileModel): ReadonlySet<string> {
  const nodes = [graph.nodes, ...[...functions.values()].map(({ nodes }) => nodes)].flat();
  return new Set(nodes.filter(isBatchNormalization).flatMap(({ inputs }) => inputs.slice(3)));
}

function isBatchNormalization({ type, domain }: FileNode): boolean {
  return type === "BatchNormalization" && domain === "";
}

/**
 * Names that exporters generate for intermediate values and constants: `val_17`, `unsqueeze_1`, `onnx::Mul_9`.
 * Parameters of PyTorch have the names of their modules.
 */
const generated = /^(val|[a-z]+(_[a-z]+)*)_\d+$|^onnx::|^const|^scalar/i;

/**
 * Whether an initializer is a parameter: a float tensor that is not one of the exporter's constants. Those have
 * generated names and contain a single number or equal numbers.
 */
export function isParameter({ dtype, data, shape }: Tensor, name: string): boolean {
  if (!dtype.startsWith("float")) return false;
  if (shape.length === 0 && /[/:]/.test(name)) return false;
  return !generated.test(name) || Array.prototype.some.call(data, (each) => each !== data[0]);
}
