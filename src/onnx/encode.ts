import type onnxProto from "onnx-proto";
import type { Model, NamedGraph, NamedNode, NamedValue } from "../graph/build.js";
import type { AttributeKind } from "../graph/value.js";
import { type DType, dtypes, type NamedTensor } from "../tensors/tensor.js";
import { onnx } from "./proto.js";
import { IR_VERSION, OPSET } from "./versions.js";

/** The versions of operator sets that are not ONNX's own. A model declares those that it uses. */
const foreignOpsets: Readonly<Record<string, number>> = { "com.microsoft": 1 };

/** Encode a model as defined by https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
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
  const bytes = onnx.ModelProto.encode(message).finish();
  // Do not copy large models: only small ones are parts of a shared buffer.
  const whole = bytes.byteLength === bytes.buffer.byteLength;
  return whole ? new Uint8Array(bytes.buffer as ArrayBuffer) : new Uint8Array(bytes);
}

/** The domains of the operators in a graph and its subgraphs, without ONNX's own. */
function domainsOf(graph: NamedGraph): string[] {
  const all = graph.nodes.flatMap(({ domain, bodies = {} }) => [
    ...(domain === undefined ? [] : [domain]),
    ...Object.values(bodies).flatMap(domainsOf),
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
  const { name, type, domain, inputs, outputs, attributes, bodies = {} } = node;
  const attribute = attributes.map(({ name, kind, value }) => encodeAttribute(name, kind, value));
  for (const [key, body] of Object.entries(bodies))
    attribute.push({ name: key, type: onnx.AttributeProto.AttributeType.GRAPH, g: encodeGraph(body) });
  return { name, opType: type, domain, input: [...inputs], output: [...outputs], attribute };
}

function encodeAttribute(name: string, kind: AttributeKind, value: unknown): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  switch (kind) {
    case "float":
      return { name, type: AttributeType.FLOAT, f: value as number };
    case "ints":
      return { name, type: AttributeType.INTS, ints: [...(value as readonly number[])] };
    case "string":
      return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value as string) };
    case "dtype":
      return { name, type: AttributeType.INT, i: dtypes[value as DType].onnx };
    default:
      return { name, type: AttributeType.INT, i: value as number };
  }
}

function encodeTensor({ name, dtype, shape, data }: NamedTensor): onnxProto.onnx.ITensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: dtypes[dtype].onnx, dims: [...shape], rawData };
}

function encodeValue({ name, dtype, shape, sequence, doc }: NamedValue): onnxProto.onnx.IValueInfoProto {
  const elemType = dtypes[dtype].onnx;
  if (sequence)
    return { name, docString: doc, type: { sequenceType: { elemType: { tensorType: { elemType } } } } };
  const dim = shape.map((extent) =>
    typeof extent === "number" ? { dimValue: extent } : { dimParam: extent },
  );
  return { name, docString: doc, type: { tensorType: { elemType, shape: { dim } } } };
}
