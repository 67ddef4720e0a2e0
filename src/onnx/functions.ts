import protobuf from "protobufjs/minimal.js";
import type { FileAttribute, FileNode } from "./message.js";
import { onnx } from "./proto.js";

/** Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const FUNCTIONS = 25;
const [NAME, DOMAIN, ATTRIBUTE_PROTO] = [1, 10, 11];

/**
 * The default attributes of a model's functions, by `domain:name`. ONNX 1.13 added this field, and the decoder of 1.10
 * does not know it.
 */
export function attributeDefaults(bytes: Uint8Array): ReadonlyMap<string, AttributeProto[]> {
  const defaults = new Map<string, AttributeProto[]>();
  eachField(bytes, (field, model) => {
    if (field !== FUNCTIONS) return false;
    let [name, domain] = ["", ""];
    const attributes: AttributeProto[] = [];
    eachField(model.bytes(), (inner, reader) => {
      if (inner === NAME) name = reader.string();
      else if (inner === DOMAIN) domain = reader.string();
      else if (inner === ATTRIBUTE_PROTO) attributes.push(onnx.AttributeProto.decode(reader.bytes()));
      else return false;
      return true;
    });
    defaults.set(`${domain}:${name}`, attributes);
    return true;
  });
  return defaults;
}

type AttributeProto = ReturnType<typeof onnx.AttributeProto.decode>;

/** Call `take` for each field of a message. It returns whether it has read the field. */
function eachField(bytes: Uint8Array, take: (field: number, reader: protobuf.Reader) => boolean): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!take(tag >>> 3, reader)) reader.skipType(tag & 7);
  }
}

/**
 * Replace attribute references in a function's node by the attributes of the call. Attributes that are not given are
 * omitted.
 */
export function withAttributes(node: FileNode, given: ReadonlyMap<string, FileAttribute>): FileNode {
  const attributes = [...node.attributes].flatMap(([name, attribute]): [string, FileAttribute][] => {
    if (attribute.kind === "graph") {
      const { value } = attribute;
      const nodes = value.nodes.map((inner) => withAttributes(inner, given));
      return [[name, { kind: "graph", value: { ...value, nodes } }]];
    }
    if (attribute.kind !== "reference") return [[name, attribute]];
    const found = given.get(attribute.value);
    return found ? [[name, found]] : [];
  });
  return { ...node, attributes: new Map(attributes) };
}
