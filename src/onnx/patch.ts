import { Reader, Writer } from "protobufjs/minimal.js";
import { GanOnnxError } from "../error.js";
import { mergedWeights } from "./merged.js";
import { onnx } from "./proto.js";

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. All other bytes are copied unchanged,
// including unknown fields.
const MODEL = { graph: 7, metadata: 14 } as const;
const GRAPH = { node: 1, initializer: 5 } as const;
const NODE = { input: 1, output: 2 } as const;
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9, doc: 12, location: 14 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const FLOAT = 1;
const BYTES = 2;

/** A field of a message: its number, all its bytes, and the content of a length-delimited field. */
interface Field {
  readonly id: number;
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = Reader.create(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    let content = new Uint8Array();
    if ((tag & 7) === BYTES) content = new Uint8Array(reader.bytes());
    else reader.skipType(tag & 7);
    yield { id: tag >>> 3, whole: message.subarray(start, reader.pos), content };
  }
}

/** Rewrite a message: `replace` returns the new bytes of each field. */
function rewritten(message: Uint8Array, replace: (field: Field) => Uint8Array): Uint8Array[] {
  return Array.from(fieldsOf(message), replace);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Encode a length-delimited field. */
function field(id: number, content: Uint8Array): Uint8Array {
  const head = Writer.create()
    .uint32(id * 8 + BYTES)
    .uint32(content.length)
    .finish();
  return joined([head, content]);
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/**
 * Replace the numbers of some initializers of a model, and add metadata. Nodes, names, operator sets and documentation
 * do not change, except that merged weights become initializers of their own, see {@link mergedWeights}.
 *
 * @param initializers float32 numbers by initializer name. All must be in the main graph.
 * @param metadata replaces entries with the same key.
 * @throws {@link GanOnnxError} when an initializer is missing, has another size or is not float32.
 */
export function patchModel(
  model: Uint8Array,
  initializers: ReadonlyMap<string, Float32Array>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const missing = new Set(initializers.keys());
  const { copies, dropped, inputs } = mergedWeights(onnx.ModelProto.decode(model).graph ?? {});
  const parts = rewritten(model, ({ id, whole, content }) => {
    if (id === MODEL.metadata) return keyOf(content) in metadata ? new Uint8Array() : whole;
    if (id !== MODEL.graph) return whole;
    let at = -1;
    const graph = rewritten(content, (inner) => {
      if (inner.id === GRAPH.node) {
        at++;
        if (dropped.has(nameIn(inner, NODE.output))) return new Uint8Array();
        const names = inputs.get(at);
        return names ? field(GRAPH.node, withInputs(inner.content, names)) : inner.whole;
      }
      if (inner.id !== GRAPH.initializer) return inner.whole;
      const fields = [...fieldsOf(inner.content)];
      const own = nameIn(inner, TENSOR.name);
      const names = [own, ...[...copies].flatMap(([name, from]) => (from === own ? [name] : []))];
      const written = names.map((name) => {
        const renamed = fields.map((each) => (each.id === TENSOR.name ? fieldOf(TENSOR.name, name) : each));
        const values = initializers.get(name);
        missing.delete(name);
        if (!values)
          return name === own
            ? inner.whole
            : field(GRAPH.initializer, joined(renamed.map(({ whole }) => whole)));
        return field(GRAPH.initializer, withValues(name, renamed, values));
      });
      return joined(written);
    });
    return field(MODEL.graph, joined(graph));
  });
  const [absent] = missing;
  if (absent !== undefined) throw unpatchable(absent, "the model has no such initializer");
  const entries = Object.entries(metadata).map(([key, value]) => {
    const content = Writer.create()
      .uint32(ENTRY.key * 8 + BYTES)
      .string(key)
      .uint32(ENTRY.value * 8 + BYTES)
      .string(value);
    return field(MODEL.metadata, content.finish());
  });
  return joined([...parts, ...entries]);
}

/** Whether any initializer of a model is stored in an external file. */
export function hasExternalData(model: Uint8Array): boolean {
  for (const { id, content } of fieldsOf(model)) {
    if (id !== MODEL.graph) continue;
    for (const inner of fieldsOf(content)) {
      if (inner.id !== GRAPH.initializer) continue;
      for (const { id } of fieldsOf(inner.content)) if (id === TENSOR.location) return true;
    }
  }
  return false;
}

function keyOf(entry: Uint8Array): string {
  return text([...fieldsOf(entry)].find(({ id }) => id === ENTRY.key)?.content ?? new Uint8Array());
}

/** The text in the first field of a number inside another field. */
function nameIn({ content }: Field, id: number): string {
  return text([...fieldsOf(content)].find((each) => each.id === id)?.content ?? new Uint8Array());
}

/** A NodeProto with other names of inputs. */
function withInputs(node: Uint8Array, names: readonly string[]): Uint8Array {
  const rest = [...fieldsOf(node)].filter(({ id }) => id !== NODE.input);
  return joined([...names.map((name) => fieldOf(NODE.input, name).whole), ...rest.map(({ whole }) => whole)]);
}

function fieldOf(id: number, value: string): Field {
  const content = new TextEncoder().encode(value);
  return { id, whole: field(id, content), content };
}

/** Replace the numbers of a TensorProto. Shape, type, name and documentation stay; the data location is removed. */
function withValues(name: string, fields: readonly Field[], values: Float32Array): Uint8Array {
  const kept = fields.filter(({ id }) =>
    [TENSOR.dims, TENSOR.dataType, TENSOR.name, TENSOR.doc].some((k) => k === id),
  );
  const type = fields.find(({ id }) => id === TENSOR.dataType);
  const reader = type && Reader.create(type.whole);
  reader?.uint32();
  if (reader?.int32() !== FLOAT) throw unpatchable(name, "is not float32");
  const size = fields
    .filter(({ id }) => id === TENSOR.dims)
    .flatMap(dimsIn)
    .reduce((product, dim) => product * dim, 1);
  if (size !== values.length) throw unpatchable(name, `has ${size} elements, not ${values.length}`);
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return joined([...kept.map(({ whole }) => whole), field(TENSOR.rawData, raw)]);
}

/** The dimensions in a field: one, or several packed. */
function dimsIn({ whole, content }: Field): number[] {
  const single = Reader.create(whole);
  if ((single.uint32() & 7) !== BYTES) return [Number(single.int64())];
  const packed = Reader.create(content);
  const dims: number[] = [];
  while (packed.pos < packed.len) dims.push(Number(packed.int64()));
  return dims;
}

function unpatchable(name: string, what: string): GanOnnxError {
  return new GanOnnxError({
    what,
    where: `initializer "${name}"`,
    fix: "use the model that the weights were read from",
  });
}
