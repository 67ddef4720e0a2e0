import type onnxProto from "onnx-proto";
import { isParameter } from "./parameters.js";
import { tensorIn } from "./tensors-in.js";

type Graph = onnxProto.onnx.IGraphProto;

/** Weights that share an initializer, and are separate weights in the module that a file was exported from. */
export interface MergedWeights {
  /** The initializers that they are copies of, by their new names. */
  readonly copies: ReadonlyMap<string, string>;
  /** The outputs of `Identity` nodes that a copy replaces. */
  readonly dropped: ReadonlySet<string>;
  /** The new inputs of nodes, by their position in the graph. */
  readonly inputs: ReadonlyMap<number, readonly string[]>;
}

/** The inputs of layers that are often equal in new networks, by their positions: PyTorch's names. */
const LEARNED: Readonly<Record<string, readonly string[]>> = {
  BatchNormalization: ["", "weight", "bias", "running_mean", "running_var"],
  InstanceNormalization: ["", "weight", "bias"],
  LayerNormalization: ["", "weight", "bias"],
  GroupNormalization: ["", "weight", "bias"],
  RMSNormalization: ["", "weight"],
  Conv: ["", "", "bias"],
  ConvTranspose: ["", "", "bias"],
  Gemm: ["", "", "bias"],
};

/**
 * PyTorch's exporters store equal tensors once. New normalization layers have weights and statistics of ones and zeros,
 * so these are merged, although they differ after training. The older exporter (`dynamo=False`) gives each its name by
 * an `Identity`; the newer one lets layers read the same initializer.
 *
 * A weight with different elements that several layers read is a weight that they share, and stays.
 */
export function mergedWeights({ node, initializer, output }: Graph): MergedWeights {
  const nodes = node ?? [];
  const weights = new Map((initializer ?? []).map((tensor) => [tensor.name ?? "", tensor]));
  const outputs = new Set(output?.map(({ name }) => name));
  const copies = new Map<string, string>();
  const dropped = new Set<string>();
  for (const { opType, domain, input, output } of nodes) {
    if (opType !== "Identity" || (domain && domain !== "ai.onnx")) continue;
    const [from, to] = [input?.[0] ?? "", output?.[0] ?? ""];
    const tensor = weights.get(from);
    if (!tensor || outputs.has(to) || /[/:]/.test(to) || !isUniform(tensor)) continue;
    copies.set(to, from);
    dropped.add(to);
  }
  const used = new Set<string>();
  const inputs = new Map<number, readonly string[]>();
  for (const [at, { opType, name, input, output }] of nodes.entries()) {
    const given = input ?? [];
    const kinds = LEARNED[opType ?? ""] ?? [];
    const layer = (given[1] ?? "").replace(/\.?weight$/, "");
    const next = given.map((from, i) => {
      const tensor = weights.get(from);
      if (!kinds[i] || !tensor || !isUniform(tensor)) return from;
      if (!used.has(from)) {
        used.add(from);
        return from;
      }
      const free = [layer, name || output?.[0], `${from}.${at}`].map((base) => `${base}.${kinds[i]}`);
      const own = free.find((each) => !weights.has(each) && !copies.has(each)) ?? from;
      if (own !== from) copies.set(own, from);
      return own;
    });
    if (next.some((each, i) => each !== given[i])) inputs.set(at, next);
  }
  return { copies, dropped, inputs };
}

/** Whether an initializer is a parameter whose elements are all equal. */
function isUniform(tensor: onnxProto.onnx.ITensorProto): boolean {
  if (tensor.externalData?.length) return false;
  try {
    const read = tensorIn(tensor, tensor.name ?? "", (tensor.dims ?? []).map(Number), { name: "" });
    const { data } = read;
    return (
      data.length > 0 &&
      Array.prototype.every.call(data, (each) => each === data[0]) &&
      isParameter(read, tensor.name ?? "")
    );
  } catch {
    return false; // The reader gives the error.
  }
}

/** Give the merged weights of a graph initializers of their own. */
export function separateWeights(graph: Graph): void {
  const { copies, dropped, inputs } = mergedWeights(graph);
  if (copies.size === 0) return;
  const weights = new Map((graph.initializer ?? []).map((tensor) => [tensor.name, tensor]));
  const added = [...copies].map(([name, from]) => {
    const tensor = weights.get(from) ?? {};
    // A decoded message has its defaults in its prototype.
    return Object.assign(Object.create(Object.getPrototypeOf(tensor)), tensor, { name });
  });
  graph.initializer = [...(graph.initializer ?? []), ...added];
  for (const [at, names] of inputs) Object.assign(graph.node?.[at] ?? {}, { input: names });
  graph.node = (graph.node ?? []).filter(({ output }) => !dropped.has(output?.[0] ?? ""));
}
