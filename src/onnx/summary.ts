import type onnxProto from "onnx-proto";
import type { NamedValue } from "../graph/build.js";
import { dtypeNames, dtypes } from "../tensors/tensor.js";
import { onnx } from "./proto.js";

/** The description of a model file, without its weights. */
export interface ModelSummary {
  readonly producer: string;
  readonly irVersion: number;
  /** The version of each operator set, by domain. ONNX's own domain is "". */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  /** The operator types of its nodes, in order. */
  readonly operators: readonly string[];
}

/**
 * Read the interface of a model.
 *
 * @throws Error when the bytes are not an ONNX model.
 */
export function summarizeModel(bytes: Uint8Array): ModelSummary {
  const model = onnx.ModelProto.decode(bytes);
  const { graph } = model;
  if (!graph) throw new Error("there is no graph in it");
  const initializers = new Set(graph.initializer?.map(({ name }) => name));
  return {
    producer: model.producerName,
    irVersion: Number(model.irVersion),
    opsets: Object.fromEntries(
      model.opsetImport.map(({ domain, version }) => [domain ?? "", Number(version)]),
    ),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? "", value ?? ""])),
    inputs: (graph.input ?? []).filter(({ name }) => !initializers.has(name)).map(decodeValue),
    outputs: (graph.output ?? []).map(decodeValue),
    operators: (graph.node ?? []).map(({ opType }) => opType ?? ""),
  };
}

/** A node of a model file. */
export interface ModelNode {
  readonly name: string;
  readonly operator: string;
  /** The number of its outputs. */
  readonly outputs: number;
  /** Whether the node is in a subgraph, e.g. the body of a `Loop`. */
  readonly inBody: boolean;
}

/**
 * The nodes of a model, including those of its subgraphs.
 *
 * @throws Error when the bytes are not an ONNX model.
 */
export function listNodes(bytes: Uint8Array): ModelNode[] {
  return nodesIn(onnx.ModelProto.decode(bytes).graph, false);
}

function nodesIn(graph: onnxProto.onnx.IGraphProto | null | undefined, inBody: boolean): ModelNode[] {
  return (graph?.node ?? []).flatMap(({ name, opType, attribute, output }) => [
    { name: name ?? "", operator: opType ?? "", outputs: output?.length ?? 0, inBody },
    ...(attribute ?? []).flatMap(({ g }) => (g ? nodesIn(g, true) : [])),
  ]);
}

function decodeValue({ name, type }: onnxProto.onnx.IValueInfoProto): NamedValue {
  const sequence = type?.sequenceType?.elemType?.tensorType;
  const { elemType, shape } = sequence ?? type?.tensorType ?? {};
  const dtype = dtypeNames.find((name) => dtypes[name].onnx === elemType);
  if (!dtype) throw new Error(`${name} has an element type that is not supported`);
  const dims = shape?.dim ?? [];
  return {
    name: name ?? "",
    dtype,
    shape: dims.map(({ dimParam, dimValue }) => dimParam || Number(dimValue)),
    ...(sequence ? { sequence: true } : {}),
  };
}
