import type onnxProto from "onnx-proto";
import { GanOnnxError, messageOf } from "../error.js";
import { attributeDefaults } from "./functions.js";
import { separateWeights } from "./merged.js";
import type {
  FileAttribute,
  FileFunction,
  FileGraph,
  FileModel,
  FileNode,
  FileTensor,
  FileType,
  FileValue,
  Opsets,
} from "./message.js";
import { onnx } from "./proto.js";
import { type ExternalData, tensorIn } from "./tensors-in.js";

type Proto = typeof onnxProto.onnx;
type Message<K extends keyof Proto> = Proto[K] extends { decode(bytes: Uint8Array): infer M } ? M : never;

/** The newest supported version of the file format: https://github.com/onnx/onnx/blob/main/docs/Versioning.md */
const NEWEST_IR = 13;

/** The supported operator sets. The rules of the operators handle the differences. */
const [OLDEST_OPSET, NEWEST_OPSET] = [7, 26];

/** The source of a model. */
export interface Source {
  /** The name for messages: the path of the file. */
  readonly name: string;
  /** Reads the external files that contain weights. */
  readonly externalData?: ExternalData;
  /** The nesting depth of the graph. */
  readonly depth?: number;
}

/** The maximum nesting depth of graphs. */
const DEEPEST = 100;

/**
 * Decode the bytes of a model file: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 *
 * @throws {@link GanOnnxError} when the bytes are not an ONNX model, or have a newer format.
 */
export function decodeModel(bytes: Uint8Array, source: Source): FileModel {
  const model = parse(bytes, source.name);
  const irVersion = Number(model.irVersion);
  if (!model.graph || irVersion < 1) {
    throw new GanOnnxError({
      what: "is not an ONNX model: it has no graph",
      where: source.name,
      fix: "choose an .onnx file",
    });
  }
  if (irVersion > NEWEST_IR) {
    throw new GanOnnxError({
      what: `is of IR version ${irVersion}; versions to ${NEWEST_IR} are known`,
      where: source.name,
      fix: "export it with an older opset",
    });
  }
  const opset = opsetsOf(model.opsetImport).get("");
  if (opset !== undefined && !(opset >= OLDEST_OPSET && opset <= NEWEST_OPSET)) {
    throw new GanOnnxError({
      what: `is of opset ${opset}; opsets ${OLDEST_OPSET} to ${NEWEST_OPSET} are known`,
      where: source.name,
      fix: "convert it with onnx.version_converter",
    });
  }
  separateWeights(model.graph);
  const defaults = model.functions.length > 0 ? attributeDefaults(bytes) : undefined;
  return {
    irVersion,
    opsets: opsetsOf(model.opsetImport),
    producer: { name: model.producerName, version: model.producerVersion },
    doc: model.docString,
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? "", value ?? ""])),
    graph: graphOf(model.graph, source),
    functions: new Map(
      model.functions.map((f) => {
        const attributes = defaults?.get(`${f.domain ?? ""}:${f.name ?? ""}`) ?? [];
        return [`${domainOf(f.domain)}:${f.name ?? ""}`, functionOf(f, attributes, source)];
      }),
    ),
  };
}

function parse(bytes: Uint8Array, where: string): Message<"ModelProto"> {
  try {
    return onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new GanOnnxError({
      what: `is not an ONNX model, or is truncated (${messageOf(cause)})`,
      where,
      fix: "choose a complete .onnx file",
      cause,
    });
  }
}

function opsetsOf(imports: readonly onnxProto.onnx.IOperatorSetIdProto[] | null | undefined): Opsets {
  // "ai.onnx" is an alias of ONNX's own domain.
  return new Map((imports ?? []).map(({ domain, version }) => [domainOf(domain), Number(version)]));
}

function domainOf(domain: string | null | undefined): string {
  return !domain || domain === "ai.onnx" ? "" : domain;
}

function functionOf(
  f: onnxProto.onnx.IFunctionProto,
  defaults: readonly onnxProto.onnx.IAttributeProto[],
  source: Source,
): FileFunction {
  return {
    inputs: f.input ?? [],
    outputs: f.output ?? [],
    nodes: (f.node ?? []).map((node) => nodeOf(node, source)),
    opsets: opsetsOf(f.opsetImport),
    defaults: new Map(defaults.map((a) => [a.name ?? "", attributeOf(a, source)])),
  };
}

function graphOf(graph: onnxProto.onnx.IGraphProto, source: Source): FileGraph {
  if ((source.depth ?? 0) > DEEPEST) {
    throw new GanOnnxError({
      what: `has graphs inside nodes on more than ${DEEPEST} levels`,
      where: source.name,
      fix: "export it without control flow",
    });
  }
  if (graph.sparseInitializer?.length) {
    throw new GanOnnxError({
      what: "has sparse initializers",
      where: source.name,
      fix: "store its weights as dense tensors",
    });
  }
  const initializers = (graph.initializer ?? []).map((tensor) => tensorOf(tensor, source));
  const values = (graph.valueInfo ?? []).map(interfaceOf);
  return {
    name: graph.name ?? "",
    nodes: (graph.node ?? []).map((node) => nodeOf(node, source)),
    initializers: new Map(initializers.map((tensor) => [tensor.name, tensor])),
    inputs: (graph.input ?? []).map(interfaceOf),
    outputs: (graph.output ?? []).map(interfaceOf),
    types: new Map(values.flatMap(({ name, type }) => (type ? [[name, type]] : []))),
  };
}

function nodeOf(node: onnxProto.onnx.INodeProto, source: Source): FileNode {
  const attributes = node.attribute ?? [];
  return {
    name: node.name ?? "",
    type: node.opType ?? "",
    domain: domainOf(node.domain),
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: new Map(attributes.map((a) => [a.name ?? "", attributeOf(a, source)])),
  };
}

const text = new TextDecoder();

function attributeOf(a: onnxProto.onnx.IAttributeProto, source: Source): FileAttribute {
  const { AttributeType } = onnx.AttributeProto;
  if (a.refAttrName) return { kind: "reference", value: a.refAttrName };
  switch (a.type || guessType(a)) {
    case AttributeType.FLOAT:
      return { kind: "float", value: a.f ?? 0 };
    case AttributeType.INT:
      return { kind: "int", value: Number(a.i ?? 0) };
    case AttributeType.STRING:
      return { kind: "string", value: text.decode(a.s ?? new Uint8Array()) };
    case AttributeType.TENSOR:
      return { kind: "tensor", value: tensorOf(a.t ?? {}, source) };
    case AttributeType.GRAPH:
      return { kind: "graph", value: graphOf(a.g ?? {}, { ...source, depth: (source.depth ?? 0) + 1 }) };
    case AttributeType.FLOATS:
      return { kind: "floats", value: a.floats ?? [] };
    case AttributeType.INTS:
      return { kind: "ints", value: (a.ints ?? []).map(Number) };
    case AttributeType.STRINGS:
      return { kind: "strings", value: (a.strings ?? []).map((each) => text.decode(each)) };
    default:
      return { kind: "other", value: AttributeType[a.type ?? 0] ?? String(a.type) };
  }
}

/** Files of the first IR versions have no attribute type: find it from the field that is set. */
function guessType(a: onnxProto.onnx.IAttributeProto): number {
  const { AttributeType } = onnx.AttributeProto;
  const has = (key: keyof onnxProto.onnx.IAttributeProto) => Object.hasOwn(a, key);
  if (has("f")) return AttributeType.FLOAT;
  if (has("i")) return AttributeType.INT;
  if (has("s")) return AttributeType.STRING;
  if (has("t")) return AttributeType.TENSOR;
  if (a.floats?.length) return AttributeType.FLOATS;
  return a.strings?.length ? AttributeType.STRINGS : AttributeType.INTS;
}

function tensorOf(tensor: onnxProto.onnx.ITensorProto, source: Source): FileTensor {
  const shape = (tensor.dims ?? []).map(Number);
  const name = tensor.name ?? "";
  return {
    name,
    elementType: tensor.dataType ?? 0,
    shape,
    read: () => tensorIn(tensor, name, shape, source),
  };
}

function interfaceOf({ name, type }: onnxProto.onnx.IValueInfoProto): FileValue {
  return { name: name ?? "", type: type?.tensorType ? typeOf(type.tensorType) : undefined };
}

function typeOf({ elemType, shape }: onnxProto.onnx.TypeProto.ITensor): FileType {
  const dims = shape?.dim?.map(({ dimParam, dimValue }) => {
    if (dimParam) return dimParam;
    const size = dimValue === null || dimValue === undefined ? Number.NaN : Number(dimValue);
    return size >= 0 ? size : undefined;
  });
  return { elementType: elemType ?? 0, shape: shape ? (dims ?? []) : undefined };
}
