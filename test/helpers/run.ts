import ort from "onnxruntime-node";
import {
  type About,
  build,
  type DType,
  type Model,
  type TensorData,
  type Value,
} from "../../src/graph/index.js";
import { dependencies } from "../../src/graph/operator.js";
import { nodesBehind } from "../../src/graph/paths.js";
import { encodeModel } from "../../src/onnx/index.js";

/** Numbers with their shape. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** The value of a graph input. Plain numbers fill its shape, in which one dimension may be symbolic. */
export type Feed = number | readonly number[] | Tensor;
export type Feeds = Readonly<Record<string, Feed>>;
export type Results<K extends string = string> = Readonly<
  Record<K, { readonly dims: readonly number[]; readonly data: TensorData }>
>;

export const about: About = { name: "test", doc: "", producer: { name: "gan-onnx", version: "test" } };

/** The graph inputs that the values depend on, in no particular order. */
function inputsOf(values: readonly Value[]): readonly Value[] {
  const read = new Set([...values, ...nodesBehind(values).flatMap(dependencies)]);
  return [...read].filter(({ origin }) => origin.kind === "input");
}

/** The model of some outputs, with the inputs that they need. */
export function modelOf(outputs: Readonly<Record<string, Value>>): Model {
  return build(about, { inputs: inputsOf(Object.values(outputs)), outputs });
}

/** Run a graph once in ONNX Runtime on the CPU. */
export async function evaluate<K extends string>(
  outputs: Readonly<Record<K, Value>>,
  feeds: Feeds = {},
): Promise<Results<K>> {
  const session = await ort.InferenceSession.create(encodeModel(modelOf(outputs)), {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const tensors = inputsOf(Object.values(outputs)).map((value): [string, ort.Tensor] => {
    const name = value.origin.kind === "input" ? value.origin.name : "";
    return [name, tensorOf(value, name, feeds[name])];
  });
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return results as unknown as Results<K>;
}

function tensorOf({ dtype, shape }: Value, name: string, feed: Feed | undefined): ort.Tensor {
  if (feed === undefined) throw new Error(`no feed for the input ${name}`);
  const given = typeof feed === "number" ? [feed] : "dims" in feed ? feed.data : feed;
  const data = typedArray(dtype, given);
  const staticSize = shape.reduce<number>((size, dim) => (typeof dim === "number" ? size * dim : size), 1);
  const filled = shape.map((dim) => (typeof dim === "number" ? dim : data.length / staticSize));
  const dims = typeof feed === "object" && "dims" in feed ? feed.dims : filled;
  return new ort.Tensor(dtype, data as Float32Array, dims);
}

function typedArray(dtype: DType, numbers: ArrayLike<number | bigint>): TensorData {
  const plain = Array.from(numbers, Number);
  switch (dtype) {
    case "float32":
      return Float32Array.from(plain);
    case "float64":
      return Float64Array.from(plain);
    case "int64":
      return BigInt64Array.from(plain, BigInt);
    case "int32":
      return Int32Array.from(plain);
    default:
      return Uint8Array.from(plain);
  }
}
