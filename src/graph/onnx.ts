import onnxProto from "onnx-proto";
import type { Model, NamedGraph, NamedNode, NamedTensor, NamedValue } from "./build.js";
import type { AttributeKind } from "./operator.js";
import type { DType } from "./value.js";

// The only file that knows protobuf. onnx-proto is CommonJS, so its namespace is a property of the default import.
const { onnx } = onnxProto;

/** The operator set of every model written here: the newest one that ONNX 1.12's checker (Debian's) knows. */
export const OPSET = 17;
/** The file format version that belongs to it: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
export const IR_VERSION = 8;

const { DataType } = onnx.TensorProto;
const dataTypes = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int64: DataType.INT64,
  int32: DataType.INT32,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
} satisfies Record<DType, number>;

/** Versions of the operator sets that are not ONNX's own. A model declares those that it uses. */
const foreignOpsets: Readonly<Record<string, number>> = { "com.microsoft": 1 };

/** The bytes of a model, as https://github.com/onnx/onnx/blob/main/onnx/onnx.proto defines them. */
export function encodeModel(model: Model): Uint8Array<ArrayBuffer> {
  const message = {
    irVersion: IR_VERSION,
    opsetImport: [
      { domain: "", version: OPSET },
      ...domainsOf(model.graph).map((domain) => ({ domain, version: foreignOpsets[domain] })),
    ],
    producerName: model.producer.name,
    producerVersion: model.producer.version,
    docString: model.doc,
    metadataProps: Object.entries(model.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: encodeGraph(model.graph),
  };
  return new Uint8Array(onnx.ModelProto.encode(message).finish());
}

/** The domains, but for ONNX's own, of a graph's operators and of those inside them. */
function domainsOf(graph: NamedGraph): string[] {
  const all = graph.nodes.flatMap(({ domain, body }) => [
    ...(domain === undefined ? [] : [domain]),
    ...(body ? domainsOf(body) : []),
  ]);
  return [...new Set(all)];
}

function encodeGraph(graph: NamedGraph): onnxProto.onnx.IGraphProto {
  return {
    name: graph.name,
    node: graph.nodes.map(encodeNode),
    initializer: graph.initializers.map(encodeTensor),
    input: graph.inputs.map(encodeValue),
    output: graph.outputs.map(encodeValue),
    valueInfo: graph.values.map(encodeValue),
  };
}

function encodeNode(node: NamedNode): onnxProto.onnx.INodeProto {
  const { name, type, domain, inputs, outputs, attributes, body } = node;
  const attribute = attributes.map(({ name, kind, value }) => encodeAttribute(name, kind, value));
  if (body)
    attribute.push({ name: "body", type: onnx.AttributeProto.AttributeType.GRAPH, g: encodeGraph(body) });
  return { name, opType: type, domain, input: [...inputs], output: [...outputs], attribute };
}

function encodeAttribute(name: string, kind: AttributeKind, value: unknown): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  switch (kind) {
    case "float":
      return { name, type: AttributeType.FLOAT, f: value as number };
    case "ints":
      return { name, type: AttributeType.INTS, ints: [...(value as readonly number[])] };
    case "dtype":
      return { name, type: AttributeType.INT, i: dataTypes[value as DType] };
    default:
      return { name, type: AttributeType.INT, i: value as number };
  }
}

function encodeTensor({ name, dtype, shape, data }: NamedTensor): onnxProto.onnx.ITensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: dataTypes[dtype], dims: [...shape], rawData };
}

function encodeValue({ name, dtype, shape, sequence, doc }: NamedValue): onnxProto.onnx.IValueInfoProto {
  const elemType = dataTypes[dtype];
  if (sequence)
    return { name, docString: doc, type: { sequenceType: { elemType: { tensorType: { elemType } } } } };
  const dim = shape.map((extent) =>
    typeof extent === "number" ? { dimValue: extent } : { dimParam: extent },
  );
  return { name, docString: doc, type: { tensorType: { elemType, shape: { dim } } } };
}

/** What a model file says of itself, without its weights. */
export interface ModelSummary {
  readonly producer: string;
  readonly irVersion: number;
  /** The version of each operator set that it asks for, by domain; ONNX's own is the empty one. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  /** The types of its nodes, in their order. */
  readonly operators: readonly string[];
}

/**
 * Read the interface of a model.
 *
 * @throws Error when the bytes are no ONNX model.
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
  /** Whether it is in a graph inside another: the body of a `Loop`. */
  readonly inBody: boolean;
}

/**
 * The nodes of a model, with those of the graphs inside it.
 *
 * @throws Error when the bytes are no ONNX model.
 */
export function listNodes(bytes: Uint8Array): ModelNode[] {
  return nodesIn(onnx.ModelProto.decode(bytes).graph, false);
}

function nodesIn(graph: onnxProto.onnx.IGraphProto | null | undefined, inBody: boolean): ModelNode[] {
  return (graph?.node ?? []).flatMap(({ name, opType, attribute }) => [
    { name: name ?? "", operator: opType ?? "", inBody },
    ...(attribute ?? []).flatMap(({ g }) => (g ? nodesIn(g, true) : [])),
  ]);
}

function decodeValue({ name, type }: onnxProto.onnx.IValueInfoProto): NamedValue {
  const sequence = type?.sequenceType?.elemType?.tensorType;
  const { elemType, shape } = sequence ?? type?.tensorType ?? {};
  const dtype = (Object.keys(dataTypes) as DType[]).find((key) => dataTypes[key] === elemType);
  if (!dtype) throw new Error(`${name} has an element type that is not supported`);
  const dims = shape?.dim ?? [];
  return {
    name: name ?? "",
    dtype,
    shape: dims.map(({ dimParam, dimValue }) => dimParam || Number(dimValue)),
    ...(sequence ? { sequence: true } : {}),
  };
}
