import type { ModelInterface, Port } from "../src/export/description.js";

/**
 * The few fields of an ONNX file that the page must know, which onnxruntime-web does not tell. The whole of onnx-proto
 * would be some twenty times this page's own code, and compiles functions from strings, which its policy forbids.
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 *
 * @throws Error when the bytes are no ONNX model.
 */
export function readInterface(bytes: Uint8Array): ModelInterface {
  const model = fields(bytes);
  const graphBytes = model.find(({ field }) => field === 7)?.bytes;
  if (!graphBytes) throw new Error("there is no graph in it");
  const graph = fields(graphBytes);
  const initializers = new Set(messages(graph, 5).map((tensor) => textOf(tensor, 8)));
  return {
    metadata: Object.fromEntries(
      messages(model, 14).map((entry) => [textOf(entry, 1), textOf(entry, 2)] as const),
    ),
    inputs: messages(graph, 11)
      .map(portOf)
      .filter(({ name }) => !initializers.has(name)),
    outputs: messages(graph, 12).map(portOf),
  };
}

/** A field of a protobuf message: a number, or the bytes of a text or of another message. */
interface Field {
  readonly field: number;
  readonly number?: number;
  readonly bytes?: Uint8Array;
}

function portOf(value: readonly Field[]): Port {
  const [type] = messages(value, 2);
  const [tensor] = messages(type ?? [], 1);
  const [shape] = messages(tensor ?? [], 2);
  const extents = messages(shape ?? [], 1).map(
    (dim) => dim.find(({ field }) => field === 1)?.number ?? textOf(dim, 2),
  );
  return { name: textOf(value, 1), shape: extents };
}

function messages(message: readonly Field[], field: number): Field[][] {
  return message.flatMap((one) => (one.field === field && one.bytes ? [fields(one.bytes)] : []));
}

function textOf(message: readonly Field[], field: number): string {
  return new TextDecoder().decode(message.find((one) => one.field === field)?.bytes);
}

/** A message taken apart: https://protobuf.dev/programming-guides/encoding/ */
function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let power = 1; ; power *= 128) {
      if (at >= bytes.length || power > 2 ** 63) throw new Error(`it breaks off or goes wrong at byte ${at}`);
      const byte = bytes[at++];
      value += (byte & 127) * power;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error(`it breaks off at byte ${bytes.length}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    const wire = key % 8;
    if (field === 0) throw new Error(`there is no field at byte ${at}`);
    if (wire === 0) found.push({ field, number: varint() });
    else if (wire === 1) take(8);
    else if (wire === 2) found.push({ field, bytes: take(varint()) });
    else if (wire === 5) take(4);
    else throw new Error(`there is no field at byte ${at}`);
  }
  return found;
}
