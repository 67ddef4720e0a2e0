import type onnxProto from "onnx-proto";
import { tensorIn } from "./tensors-in.js";

type Graph = onnxProto.onnx.IGraphProto;

/** The inputs of BatchNormalization that are weights or statistics: https://onnx.ai/onnx/operators/onnx__BatchNormalization.html */
const LEARNED = [1, 2, 3, 4];

/**
 * Weights that PyTorch's older exporter (`dynamo=False`) has merged: if two tensors of a module are equal, such as the
 * ones and zeros of new normalization layers, it stores one of them, and the other is an `Identity` of it. They are
 * separate weights in the module, and differ after training.
 *
 * Returns the merged weights: the name of the initializer by the name that `Identity` gives. An `Identity` of a weight
 * with different elements is a weight that layers share, and stays.
 */
export function mergedWeights({ node, initializer, output }: Graph): ReadonlyMap<string, string> {
  const weights = new Map((initializer ?? []).map((tensor) => [tensor.name ?? "", tensor]));
  const outputs = new Set(output?.map(({ name }) => name));
  const ofNorms = new Set(
    (node ?? []).flatMap(({ opType, input }) =>
      opType === "BatchNormalization" ? LEARNED.map((i) => input?.[i]) : [],
    ),
  );
  const merged = new Map<string, string>();
  for (const { opType, domain, input, output } of node ?? []) {
    if (opType !== "Identity" || (domain && domain !== "ai.onnx")) continue;
    const [from, to] = [input?.[0] ?? "", output?.[0] ?? ""];
    const tensor = weights.get(from);
    if (!tensor || outputs.has(to)) continue;
    if (ofNorms.has(to) || isUniform(tensor)) merged.set(to, from);
  }
  return merged;
}

/** Whether all elements are equal. */
function isUniform(tensor: onnxProto.onnx.ITensorProto): boolean {
  if (tensor.externalData?.length) return false;
  try {
    const { data } = tensorIn(tensor, tensor.name ?? "", (tensor.dims ?? []).map(Number), { name: "" });
    return data.length > 1 && Array.prototype.every.call(data, (each) => each === data[0]);
  } catch {
    return false; // The reader gives the error.
  }
}

/** Give the merged weights of a graph initializers of their own. */
export function separateWeights(graph: Graph): void {
  const merged = mergedWeights(graph);
  if (merged.size === 0) return;
  const weights = new Map((graph.initializer ?? []).map((tensor) => [tensor.name, tensor]));
  const copies = [...merged].map(([name, from]) => {
    const tensor = weights.get(from) ?? {};
    // A decoded message has its defaults in its prototype.
    return Object.assign(Object.create(Object.getPrototypeOf(tensor)), tensor, { name });
  });
  graph.initializer = [...(graph.initializer ?? []), ...copies];
  graph.node = (graph.node ?? []).filter(({ output }) => !merged.has(output?.[0] ?? ""));
}
