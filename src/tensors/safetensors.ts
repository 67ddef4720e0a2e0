import { z } from "zod";
import { GanOnnxError, messageOf } from "../error.js";
import { refusalOf } from "../wanted.js";
import { halfTypes, isHalfType, widened } from "./half.js";
import { dtypeNames, dtypes, faultOf, sizeOf, type Tensor, type Tensors } from "./tensor.js";

export interface SafetensorsFile {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The specification's limit. It protects against headers that exhaust memory. */
const maxHeaderBytes = 100_000_000;
const metadataKey = "__metadata__";

const metadataSchema = z.record(z.string(), z.string());
const infoSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Encode tensors in the safetensors format (https://huggingface.co/docs/safetensors): an 8-byte little-endian header
 * length, a JSON header padded with spaces to a multiple of 8, the elements. The order is that of the reference
 * implementation, by element type and then by name, so equal content gives equal bytes.
 *
 * @throws {@link GanOnnxError} when a tensor's data does not fit its dtype or shape.
 */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].sort(
    ([a, { dtype: aType }], [b, { dtype: bType }]) =>
      dtypeNames.indexOf(aType) - dtypeNames.indexOf(bType) || (a < b ? -1 : 1),
  );
  // Collect the fields in a list: an object would put names like "0" first.
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"${metadataKey}":${JSON.stringify(metadata)}`);
  let end = 0;
  for (const [name, tensor] of entries) {
    checkTensor(name, tensor);
    const begin = end;
    end += tensor.data.byteLength;
    const info = { dtype: dtypes[tensor.dtype].safetensors, shape: tensor.shape, data_offsets: [begin, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
  }
  const json = new TextEncoder().encode(`{${fields.join()}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;

  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, 8);
  bytes.fill(0x20, 8 + json.length, 8 + headerBytes);
  let at = 8 + headerBytes;
  for (const [, { data }] of entries) {
    // Copy elements as stored in memory: every machine that ONNX Runtime supports is little-endian, like the format.
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Read a safetensors file, with all checks of the specification. Tensors come in the order of their elements. Arrays
 * are views of `bytes` where they are aligned, copies otherwise. 16-bit numbers (F16, BF16) become float32.
 *
 * @param where the name of the file, for messages.
 * @throws {@link GanOnnxError} when the file does not follow the specification, or has an element type that is not
 * supported.
 */
export function decodeSafetensors(bytes: Uint8Array<ArrayBuffer>, where: string): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes, where);
  const metadata = checked(metadataSchema, header[metadataKey] ?? {}, where, metadataKey);
  const infos = Object.entries(header)
    .filter(([name]) => name !== metadataKey)
    .map(([name, info]) => ({ name, ...checked(infoSchema, info, where, `tensor "${name}"`) }))
    .sort((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);

  const tensors = new Map<string, Tensor>();
  let expectedBegin = 0;
  for (const { name, dtype, shape, data_offsets } of infos) {
    const broken = (what: string) => damaged(where, `tensor "${name}": ${what}`);
    const [begin, end] = data_offsets;
    const converted = isHalfType(dtype)
      ? "float32"
      : dtypeNames.find((key) => dtypes[key].safetensors === dtype);
    if (converted === undefined) {
      throw new GanOnnxError({
        what: `tensor "${name}": element type ${dtype} is not supported`,
        where,
        fix: `convert the tensor to one of ${[...dtypeNames.map((key) => dtypes[key].safetensors), ...Object.keys(halfTypes)].join(", ")}`,
      });
    }
    if (begin !== expectedBegin) {
      const kind = begin > expectedBegin ? "a hole" : "an overlap";
      throw broken(`data_offsets begin at ${begin} and not at ${expectedBegin}, which leaves ${kind}`);
    }
    if (end < begin) throw broken(`data_offsets end at ${end}, before they begin at ${begin}`);
    const { Elements } = dtypes[converted];
    const size = sizeOf(shape) * (isHalfType(dtype) ? 2 : Elements.BYTES_PER_ELEMENT);
    if (end - begin !== size) {
      throw broken(`data_offsets span ${end - begin} bytes, but ${dtype} [${shape}] takes ${size}`);
    }
    if (dataStart + end > bytes.length) {
      throw broken(`its elements end at byte ${dataStart + end} of a file of ${bytes.length}`);
    }
    expectedBegin = end;
    const data = isHalfType(dtype)
      ? widened(bytes.subarray(dataStart + begin, dataStart + end), dtype)
      : view(bytes, dataStart + begin, size, Elements);
    tensors.set(name, { dtype: converted, shape, data } as Tensor);
  }
  const unused = bytes.length - dataStart - expectedBegin;
  if (unused > 0) throw damaged(where, `the last ${unused} bytes belong to no tensor`);
  return { tensors, metadata };
}

function readHeader(
  bytes: Uint8Array,
  where: string,
): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) throw damaged(where, `${bytes.length} bytes are too few for the header's length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > maxHeaderBytes) {
    throw damaged(
      where,
      `it is no safetensors file, or its header of ${length} bytes is over the limit of ${maxHeaderBytes}`,
    );
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.length) {
    throw damaged(where, `a header of ${length} bytes does not fit into a file of ${bytes.length}`);
  }
  if (bytes[8] !== 0x7b || length === 0n) throw damaged(where, 'the header does not begin with "{"');
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, dataStart));
    const header: Record<string, unknown> = JSON.parse(text);
    const twice = duplicateKey(text);
    if (twice === undefined) return { header, dataStart };
    throw new Error(`the name "${twice}" occurs twice`);
  } catch (cause) {
    throw damaged(where, `the header is not valid (${messageOf(cause)})`, cause);
  }
}

/** Find a key that occurs twice in one object of a valid JSON text: `JSON.parse` silently keeps the last one. */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (key !== undefined) {
      const name: string = JSON.parse(key);
      const seen = open.at(-1)!;
      if (seen.has(name)) return name;
      seen.add(name);
    }
  }
  return undefined;
}

function checked<T>(schema: z.ZodType<T>, value: unknown, where: string, field: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [{ path }] = result.error.issues;
  throw damaged(where, `${[field, ...path].join(".")} ${refusalOf(result.error, schema, value)}`);
}

/** Refuse a tensor that contradicts itself. */
function checkTensor(name: string, tensor: Tensor): void {
  const fault = name === metadataKey ? "this name is reserved" : faultOf(tensor);
  if (fault === undefined) return;
  throw new GanOnnxError({ what: fault, where: `tensor "${name}"`, fix: "correct what is to be written" });
}

type Elements = (typeof dtypes)[keyof typeof dtypes]["Elements"];

/**
 * A typed array of the elements. It must begin at a multiple of its element size, which the format does not guarantee.
 */
function view(bytes: Uint8Array<ArrayBuffer>, at: number, size: number, Elements: Elements): Tensor["data"] {
  const start = bytes.byteOffset + at;
  return start % Elements.BYTES_PER_ELEMENT === 0
    ? new Elements(bytes.buffer, start, size / Elements.BYTES_PER_ELEMENT)
    : new Elements(bytes.slice(at, at + size).buffer);
}

function damaged(where: string, what: string, cause?: unknown): GanOnnxError {
  return new GanOnnxError({ what, where, fix: "download or write the file again", cause });
}
