import {
  add,
  build,
  cast,
  gemm,
  input,
  lessOrEqual,
  type Model,
  maximum,
  reshape,
  square,
  sum,
  topK,
  transpose,
  type Value,
} from "../graph/index.js";
import { encodeModel } from "../onnx/index.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import { producer } from "../version.js";

/** Points in a feature space, row by row. */
export interface Points {
  readonly count: number;
  readonly width: number;
  /** [count, width], numbers or bytes. */
  readonly data: Float32Array | Uint8Array;
}

/** The approximate number of distances in memory per call. */
const AT_ONCE = 2 ** 21;

/** |a - b|² of all pairs of rows of two matrices, [m, width] and [n, width] to [m, n]: |a|² + |b|² - 2·a·b. */
function squaredDistances(a: Value, b: Value): Value {
  const norms = (rows: Value) => sum(square(rows), [1], { keepdims: true });
  const both = add(norms(a), transpose(norms(b), [1, 0]));
  return maximum(add(both, gemm(a, b, { transB: true, alpha: -2 })), 0);
}

const points = (name: string, rows: string, width: number, dtype: "float32" | "uint8") =>
  input(name, dtype, [rows, width], "points, a row each");

const floats = (value: Value) => (value.dtype === "float32" ? value : cast(value, { to: "float32" }));

/** The k nearest rows of `reference` for each row of `query`: squared `distances`, ascending, and `indices`. */
function nearestModel(width: number, k: number, dtype: "float32" | "uint8"): Model {
  const [a, b] = [points("query", "m", width, dtype), points("reference", "n", width, dtype)];
  const { values, indices } = topK(squaredDistances(floats(a), floats(b)), k, 1, { largest: false });
  return build(
    { name: "nearest", doc: "Nearest neighbours.", producer },
    { inputs: [a, b], outputs: { distances: values, indices } },
  );
}

/** For each row of `query`, the number of balls with squared `radii` around the rows of `reference` that contain it. */
function insideModel(width: number): Model {
  const [a, b] = [points("query", "m", width, "float32"), points("reference", "n", width, "float32")];
  const radii = input("radii", "float32", ["n"], "squared radii");
  const within = cast(lessOrEqual(squaredDistances(a, b), reshape(radii, [1, "n"])), { to: "float32" });
  return build(
    { name: "inside", doc: "Balls that points lie in.", producer },
    { inputs: [a, b, radii], outputs: { balls: sum(within, [1]) } },
  );
}

/** Finds nearest neighbours of points with ONNX Runtime. */
export class Neighbours {
  private readonly models = new Map<string, Promise<LoadedModel>>();

  /** @param open loads models on the CPU. */
  constructor(private readonly open: OpenModel) {}

  /**
   * The k nearest points of `reference` for each point of `query`: squared distances [count, k], ascending, and
   * indices. A point in both sets is its own nearest neighbour.
   */
  async nearest(
    query: Points,
    reference: Points,
    k: number,
  ): Promise<{ distances: Float32Array; indices: number[] }> {
    const dtype = query.data instanceof Uint8Array ? "uint8" : "float32";
    const model = await this.model(`nearest ${query.width} ${k} ${dtype}`, () =>
      nearestModel(query.width, k, dtype),
    );
    const distances = new Float32Array(query.count * k);
    const indices: number[] = [];
    for await (const { first, outputs } of this.inParts(model, query, [["reference", tensorOf(reference)]])) {
      distances.set(floatsIn(outputs, "distances"), first * k);
      for (const index of tensorIn(outputs, "indices").data) indices.push(Number(index));
    }
    return { distances, indices };
  }

  /** For each point of `query`, the number of balls around the points of `reference` that contain it. */
  async balls(query: Points, reference: Points, squaredRadii: Float32Array): Promise<Float32Array> {
    const model = await this.model(`inside ${query.width}`, () => insideModel(query.width));
    const balls = new Float32Array(query.count);
    const radii: Tensor = { dtype: "float32", shape: [reference.count], data: squaredRadii };
    const further: [string, Tensor][] = [
      ["reference", tensorOf(reference)],
      ["radii", radii],
    ];
    for await (const { first, outputs } of this.inParts(model, query, further)) {
      balls.set(floatsIn(outputs, "balls"), first);
    }
    return balls;
  }

  async close(): Promise<void> {
    await Promise.all([...this.models.values()].map(async (model) => (await model).close()));
  }

  private async *inParts(
    model: LoadedModel,
    query: Points,
    further: readonly [string, Tensor][],
  ): AsyncGenerator<{ first: number; outputs: Tensors }> {
    const [[, reference]] = further;
    const rows = Math.max(1, Math.floor(AT_ONCE / reference.shape[0]));
    for (let first = 0; first < query.count; first += rows) {
      const part = sliced(query, first, Math.min(query.count, first + rows));
      yield { first, outputs: await model.run(new Map([["query", tensorOf(part)], ...further])) };
    }
  }

  private model(key: string, make: () => Model): Promise<LoadedModel> {
    const cached = this.models.get(key);
    if (cached) return cached;
    const opened = this.open(encodeModel(make()), key);
    this.models.set(key, opened);
    return opened;
  }
}

/** The points from index `from` to before index `to`. */
export function sliced({ width, data }: Points, from: number, to: number): Points {
  return { count: to - from, width, data: data.subarray(from * width, to * width) };
}

function tensorOf({ count, width, data }: Points): Tensor {
  const shape = [count, width];
  return data instanceof Uint8Array ? { dtype: "uint8", shape, data } : { dtype: "float32", shape, data };
}

/** One column of numbers [rows, columns]. */
export function columnOf(values: Float32Array, columns: number, column: number): Float32Array {
  return Float32Array.from({ length: values.length / columns }, (_, row) => values[row * columns + column]);
}
