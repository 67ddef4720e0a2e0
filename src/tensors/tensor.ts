import { GanOnnxError } from "../error.js";

/**
 * The element types of tensors, by ONNX's names: the array that holds the elements, the name in safetensors files and
 * the number in ONNX files (TensorProto.DataType). Booleans are bytes 0 and 1. To add a type, add a row.
 *
 * Wide types come first: this is the order of the tensors in a safetensors file, which aligns all of them.
 */
export const dtypes = {
  int64: { Elements: BigInt64Array, safetensors: "I64", onnx: 7 },
  float64: { Elements: Float64Array, safetensors: "F64", onnx: 11 },
  float32: { Elements: Float32Array, safetensors: "F32", onnx: 1 },
  int32: { Elements: Int32Array, safetensors: "I32", onnx: 6 },
  uint8: { Elements: Uint8Array, safetensors: "U8", onnx: 2 },
  bool: { Elements: Uint8Array, safetensors: "BOOL", onnx: 9 },
} as const;

/** The name of an element type, as in ONNX: `float32`, `int64`. */
export type DType = keyof typeof dtypes;

/** All element types, in the order of {@link dtypes}. */
export const dtypeNames = Object.keys(dtypes) as readonly DType[];

/** The typed array that holds elements of a type. */
export type TensorData<D extends DType = DType> = (typeof dtypes)[D]["Elements"]["prototype"];

/** A dense array in row-major order. `data.length` is the product of `shape`; a scalar has no dimensions. */
export type Tensor<D extends DType = DType> = {
  readonly [T in D]: { readonly dtype: T; readonly shape: readonly number[]; readonly data: TensorData<T> };
}[D];

/** A tensor with its name, as written into files. */
export type NamedTensor = Tensor & { readonly name: string };

/** Tensors by name, in order. A map, because it keeps the place of any name, such as `0` or `__proto__`. */
export type Tensors = ReadonlyMap<string, Tensor>;

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Describe how a tensor contradicts itself; undefined when it does not. */
export function faultOf({ dtype, shape, data }: Tensor): string | undefined {
  const { Elements } = dtypes[dtype];
  if (!(data instanceof Elements)) return `${dtype} needs a ${Elements.name}`;
  const size = sizeOf(shape);
  return data.length === size
    ? undefined
    : `shape [${shape.join(", ")}] has ${size} elements, the data ${data.length}`;
}

/**
 * Convert numbers to elements of a type. Whole numbers may be numbers or bigints. Numbers outside of int64 are clamped:
 * an end of 2^63 - 1 in a file is 2^63 as a number.
 */
export function elementsOf<D extends DType>(dtype: D, numbers: ArrayLike<number | bigint>): TensorData<D> {
  const data =
    dtype === "int64"
      ? BigInt64Array.from(Array.from(numbers, withinInt64))
      : dtypes[dtype as Exclude<DType, "int64">].Elements.from(Array.from(numbers, Number));
  return data as TensorData<D>;
}

function withinInt64(number: number | bigint): bigint {
  const whole = BigInt(number);
  return BigInt.asIntN(64, whole) === whole ? whole : whole > 0n ? 2n ** 63n - 1n : -(2n ** 63n);
}

/** A tensor whose elements are all zero. */
export function zeros<D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> {
  return { dtype, shape, data: new dtypes[dtype].Elements(sizeOf(shape)) } as unknown as Tensor<D>;
}

/** Convert an object to tensors by name: `tensorsOf({ z })`. */
export function tensorsOf(record: Readonly<Record<string, Tensor>>): Tensors {
  return new Map(Object.entries(record));
}

/**
 * The tensor with a name.
 *
 * @throws {@link GanOnnxError} when it is missing.
 */
export function tensorIn(tensors: Tensors, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor) return tensor;
  throw new GanOnnxError({
    what: "there is no such tensor",
    where: `tensor "${name}"`,
    fix: `use one of ${[...tensors.keys()].join(", ")}`,
  });
}

/**
 * The elements of a float32 tensor.
 *
 * @throws {@link GanOnnxError} when the tensor is missing or has another type.
 */
export function floatsIn(tensors: Tensors, name: string): Float32Array {
  const tensor = tensorIn(tensors, name);
  if (tensor.dtype === "float32") return tensor.data;
  throw new GanOnnxError({
    what: `is ${tensor.dtype}, not float32`,
    where: `tensor "${name}"`,
    fix: "convert it to float32",
  });
}
