import { onnx } from "../../src/onnx/proto.js";

type Attribute = number | string | readonly number[] | { readonly float: number };

export interface NodeParts {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** The parts of a model as in files. The default type is float32. */
export interface ModelParts {
  readonly nodes: readonly NodeParts[];
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs?: readonly string[];
  readonly initializers?: readonly object[];
  /** The declared shapes of outputs and of values in between. */
  readonly types?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly opset?: number;
  readonly functions?: readonly object[];
}

const { AttributeType } = onnx.AttributeProto;

function attributeOf([name, value]: [string, Attribute]) {
  if (typeof value === "number") return { name, type: AttributeType.INT, i: value };
  if (typeof value === "string")
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

/** A node as in files. */
export function nodeOf({ type, inputs, outputs, name = "", domain = "", attributes = {} }: NodeParts) {
  const attribute = Object.entries(attributes).map(attributeOf);
  return { opType: type, input: [...inputs], output: [...outputs], name, domain, attribute };
}

/** A tensor of float32 or int64. */
export function tensor(name: string, dims: readonly number[], numbers: readonly number[], dataType = 1) {
  const data = dataType === 7 ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers);
  return { name, dims: [...dims], dataType, rawData: new Uint8Array(data.buffer) };
}

/** The bytes of a model. */
export function modelBytes(parts: ModelParts): Uint8Array<ArrayBuffer> {
  const { nodes, inputs = { x: ["batch", 4] }, outputs = ["y"], opset = 17, types = {} } = parts;
  const value = (name: string, shape: readonly (number | string)[]) => ({
    name,
    type: {
      tensorType: {
        elemType: 1,
        shape: { dim: shape.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  });
  const message = {
    irVersion: 8,
    opsetImport: [
      { domain: "", version: opset },
      { domain: "local", version: 1 },
    ],
    functions: parts.functions as never,
    graph: {
      name: "made",
      node: nodes.map(nodeOf),
      initializer: (parts.initializers ?? []) as never,
      input: Object.entries(inputs).map(([name, shape]) => value(name, shape)),
      output: outputs.map((name) =>
        types[name] ? value(name, types[name]) : { name, type: { tensorType: { elemType: 1 } } },
      ),
      valueInfo: Object.entries(types).flatMap(([name, shape]) =>
        outputs.includes(name) ? [] : [value(name, shape)],
      ),
    },
  };
  return new Uint8Array(onnx.ModelProto.encode(message).finish());
}
