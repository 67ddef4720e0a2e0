/**
 * Read a model's metadata without a protobuf library: the keys and values of `metadata_props`, field 14 of ModelProto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). This keeps pages small.
 *
 * @throws Error when the bytes are not a protobuf message.
 */
export function metadataOf(model: Uint8Array): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [field, entry] of fieldsOf(model)) {
    if (field !== 14) continue;
    const parts = new Map(fieldsOf(entry));
    const text = (number: number) => new TextDecoder().decode(parts.get(number));
    metadata[text(1)] = text(2);
  }
  return metadata;
}

/** The length-delimited fields of a message, by number (https://protobuf.dev/programming-guides/encoding/). */
function fieldsOf(bytes: Uint8Array): [field: number, content: Uint8Array][] {
  const fields: [number, Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= bytes.length) throw new Error("the file ends too early");
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag & 7;
    if (kind === 2) {
      const length = varint();
      fields.push([Math.floor(tag / 8), bytes.subarray(at, at + length)]);
      at += length;
    } else if (kind === 0) varint();
    else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4;
    else throw new Error("it is no ONNX model");
  }
  return fields;
}
