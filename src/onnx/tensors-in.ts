import type onnxProto from "onnx-proto";
import { GanOnnxError } from "../error.js";
import { type DType, dtypeNames, dtypes, elementsOf, sizeOf, type Tensor } from "../tensors/tensor.js";

/**
 * Read a part of an external file with weights. `location` is the file's path from the model's folder, as in the model.
 */
export type ExternalData = (location: string, offset: number, length: number | undefined) => Uint8Array;

/** The names of TensorProto.DataType, for messages and for types that are not a {@link DType}. */
const elementTypes = [
  ...["undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool"],
  ...["float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn"],
  ...["float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0"],
  ...["uint2", "int2"],
];

/** The name of an element type of a file. */
export function nameOfElementType(elementType: number): string {
  return elementTypes[elementType] ?? `element type ${elementType}`;
}

/**
 * The type in which elements of a file are computed; undefined if they are not supported. float16 and bfloat16 become
 * float32.
 */
export function dtypeOf(elementType: number): DType | undefined {
  const name = nameOfElementType(elementType);
  if (name === "float16" || name === "bfloat16") return "float32";
  return dtypeNames.find((dtype) => dtype === name);
}

type Where = { readonly name: string; readonly externalData?: ExternalData };

/**
 * Read the elements of a TensorProto and check them against its shape.
 *
 * @throws {@link GanOnnxError} when elements are missing or do not match.
 */
export function tensorIn(
  proto: onnxProto.onnx.ITensorProto,
  name: string,
  shape: readonly number[],
  source: Where,
): Tensor {
  const type = nameOfElementType(proto.dataType ?? 0);
  const where = `${source.name}: tensor ${name}`;
  const fail = (what: string, fix = "export the model again"): never => {
    throw new GanOnnxError({ what, where, fix });
  };
  const dtype = dtypeOf(proto.dataType ?? 0);
  if (!dtype)
    return fail(`has elements of ${type}`, `use one of ${dtypeNames.join(", ")}, float16, bfloat16`);
  if (shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0)) {
    return fail(`has the shape [${shape.join(", ")}]`);
  }
  const size = sizeOf(shape);
  const typed = () => {
    const data = typedField(proto, type);
    if (data.length !== size) return fail(`has ${data.length} elements and the shape [${shape.join(", ")}]`);
    return data;
  };
  const bytes = bytesOf(proto, source, where);
  const half = type === "float16" || type === "bfloat16";
  const width = half ? 2 : dtypes[dtype].Elements.BYTES_PER_ELEMENT;
  if (bytes && bytes.length !== size * width) {
    return fail(
      `has ${bytes.length} bytes, its shape [${shape.join(", ")}] needs ${size * width} of ${type}`,
    );
  }
  const make = (data: Tensor["data"]) => ({ dtype, shape, data }) as Tensor;
  if (half) {
    const whole = bytes && aligned(bytes, 2);
    const words = whole ? new Uint16Array(whole.buffer, whole.byteOffset, size) : typed();
    return make(Float32Array.from(words as ArrayLike<number>, type === "float16" ? float16 : bfloat16));
  }
  if (!bytes) return make(elementsOf(dtype, typed()));
  const { buffer, byteOffset } = aligned(bytes, width);
  return make(new dtypes[dtype].Elements(buffer as ArrayBuffer, byteOffset, size));
}

function bytesOf(proto: onnxProto.onnx.ITensorProto, source: Where, where: string): Uint8Array | undefined {
  const entries = new Map((proto.externalData ?? []).map(({ key, value }) => [key, value ?? ""]));
  const location = entries.get("location");
  if (location === undefined) return proto.rawData?.length ? proto.rawData : undefined;
  const number = (key: string) => {
    const given = entries.get(key);
    if (given === undefined || /^\d{1,15}$/.test(given))
      return given === undefined ? undefined : Number(given);
    throw new GanOnnxError({ what: `has the ${key} ${given}`, where, fix: "export the model again" });
  };
  if (!source.externalData) {
    throw new GanOnnxError({
      what: `lies in another file, ${location}`,
      where,
      fix: "read the model from its folder, or save it with its weights inside",
    });
  }
  return source.externalData(location, number("offset") ?? 0, number("length"));
}

/** The same bytes, copied if their offset is not a multiple of the width. */
function aligned(bytes: Uint8Array, width: number): Uint8Array {
  return bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes); // A Buffer's slice() does not copy.
}

/**
 * The elements in a typed field instead of bytes: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, TensorProto.
 */
function typedField(proto: onnxProto.onnx.ITensorProto, type: string): ArrayLike<number | bigint> {
  switch (type) {
    case "float32":
      return proto.floatData ?? [];
    case "float64":
      return proto.doubleData ?? [];
    case "int64":
      return (proto.int64Data ?? []).map((each) => BigInt(each.toString()));
    default:
      return proto.int32Data ?? [];
  }
}

/** Decode IEEE 754 binary16 from the lower 16 bits. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * 2 ** (exponent - 25) * (1024 + fraction);
}

const word = new Uint32Array(1);
const asFloat = new Float32Array(word.buffer);

/** Decode bfloat16, the upper half of a float32, from the lower 16 bits. */
function bfloat16(bits: number): number {
  word[0] = bits << 16;
  return asFloat[0];
}
